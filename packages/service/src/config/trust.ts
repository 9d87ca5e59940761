import { z } from "zod";
import { httpUrl, network, providerName } from "./fields.ts";
import { samlProvider } from "./saml.ts";

/** Asymmetric only: with a shared key whoever verifies could also sign. */
const algorithm = z.enum(["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]);

const claim = z.strictObject({ claim: z.string().min(1) });

/** One OIDC issuer whose tokens authn exchanges. */
const oidcProvider = z.strictObject({
  name: providerName.meta({ description: "The first part of its principals' ids" }),
  issuer: httpUrl.meta({ description: "Compared exactly with the token's iss" }),
  audience: z.string().min(1).meta({ description: "Must be in the token's aud" }),
  algorithms: z.array(algorithm).min(1).meta({ description: "Accepted signature algorithms; all others are refused" }),
  kind: z.enum(["person", "service", "pipeline"]).default("person").meta({ description: "What signs in here; only a person may approve" }),
  groups: claim.optional().meta({ description: "The claim that lists groups" }),
  owner: claim
    .extend({ provider: providerName.optional().meta({ description: "The trust provider where owners sign in; this one if left out" }) })
    .optional()
    .meta({ description: "The claim that names who answers for a service or pipeline" }),
  subject: claim.default({ claim: "sub" }).meta({ description: "The claim that names the principal" }),
  singleUse: z.boolean().default(false).meta({ description: "Each token is exchanged once" }),
  keySeconds: z
    .int()
    .min(5)
    .max(3600)
    .default(300)
    .meta({ description: "Seconds after which its keys are asked for again: how long a withdrawn key can still work" }),
  network,
});

interface Named {
  readonly name: string;
}

/** Whom authn believes. All providers share one space of names, as each is the first part of its principals' ids. */
export const trust = (folder: string) =>
  z
    .strictObject({
      oidc: z.array(oidcProvider).default([]),
      saml: z.array(samlProvider(folder)).default([]),
    })
    .superRefine(({ oidc, saml }, context) => {
      const lists: [string, readonly Named[]][] = [
        ["oidc", oidc],
        ["saml", saml],
      ];
      const seen = new Set<string>();
      for (const [list, providers] of lists) {
        for (const [index, { name }] of providers.entries()) {
          if (seen.has(name))
            context.addIssue({ code: "custom", path: [list, index, "name"], message: `"${name}" is the name of an earlier provider` });
          seen.add(name);
        }
      }
      for (const [index, { issuer, owner }] of oidc.entries()) {
        if (owner?.provider !== undefined && !seen.has(owner.provider)) {
          context.addIssue({
            code: "custom",
            path: ["oidc", index, "owner", "provider"],
            message: `"${owner.provider}" is no trust provider`,
          });
        }
        if (oidc.findIndex((other) => other.issuer === issuer) < index) {
          context.addIssue({ code: "custom", path: ["oidc", index, "issuer"], message: "this issuer is configured twice" });
        }
      }
    })
    .prefault({});

/** What authn allows. */
export const authn = z
  .strictObject({
    maxDepth: z.int().min(1).max(16).default(8).meta({ description: "Agents in a chain" }),
    maxChildren: z.int().min(1).max(10_000).default(256).meta({ description: "Live agents of one principal, over its whole tree" }),
    ticketsPerMinute: z.int().min(1).max(100_000).default(600).meta({ description: "Enrolment tickets of one principal" }),
    credentialSeconds: z.int().min(5).max(600).default(600).meta({ description: "Life of a credential" }),
    sessionSeconds: z.int().min(60).max(2_592_000).default(43_200).meta({ description: "Life of a session; renewal ends with it" }),
    ticketSeconds: z.int().min(5).max(60).default(60).meta({ description: "Life of an enrolment ticket" }),
  })
  .prefault({});

export type OidcProvider = z.output<typeof oidcProvider>;
