import { z } from "zod";
import { httpUrl, network, providerName } from "./fields.ts";

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
  network,
});

export const trust = z
  .strictObject({
    oidc: z
      .array(oidcProvider)
      .default([])
      .superRefine((providers, context) => {
        for (const [index, { name, issuer, owner }] of providers.entries()) {
          if (owner?.provider !== undefined && !providers.some((other) => other.name === owner.provider)) {
            context.addIssue({
              code: "custom",
              path: [index, "owner", "provider"],
              message: `"${owner.provider}" is no provider of this list`,
            });
          }
          if (providers.findIndex((other) => other.name === name) < index) {
            context.addIssue({ code: "custom", path: [index, "name"], message: `"${name}" is the name of an earlier provider` });
          }
          if (providers.findIndex((other) => other.issuer === issuer) < index) {
            context.addIssue({ code: "custom", path: [index, "issuer"], message: "this issuer is configured twice" });
          }
        }
      }),
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
