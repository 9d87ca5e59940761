import { z } from "zod";
import { oidcProvider } from "./oidc.ts";
import { samlProvider } from "./saml.ts";
import { signInFront } from "./sign-in.ts";
import { signingKey } from "./signing-key.ts";
import { x509Provider } from "./x509.ts";

interface Named {
  readonly name: string;
}

/** Whom authn believes. All providers share one space of names, as each is the first part of its principals' ids. */
export const trust = (folder: string) =>
  z
    .strictObject({
      oidc: z.array(oidcProvider(folder)).default([]),
      saml: z.array(samlProvider(folder)).default([]),
      x509: z.array(x509Provider(folder)).default([]),
    })
    .superRefine(({ oidc, saml, x509 }, context) => {
      const lists: [string, readonly Named[]][] = [
        ["oidc", oidc],
        ["saml", saml],
        ["x509", x509],
      ];
      const seen = new Set<string>();
      for (const [list, providers] of lists) {
        for (const [index, { name }] of providers.entries()) {
          if (seen.has(name))
            context.addIssue({ code: "custom", path: [list, index, "name"], message: `"${name}" is the name of an earlier provider` });
          seen.add(name);
        }
      }
      for (const [index, { issuer, owner, audience }] of oidc.entries()) {
        if (owner?.provider !== undefined && !seen.has(owner.provider)) {
          context.addIssue({
            code: "custom",
            path: ["oidc", index, "owner", "provider"],
            message: `"${owner.provider}" is no trust provider`,
          });
        }
        const earlier = oidc.slice(0, index).filter((other) => other.issuer === issuer);
        if (earlier.some((other) => other.audience.some((one) => audience.includes(one)))) {
          context.addIssue({
            code: "custom",
            path: ["oidc", index, "issuer"],
            message: "this issuer is configured twice for one audience",
          });
        }
      }
    })
    .prefault({});

/** What authn allows. */
export const authn = (folder: string) =>
  z
    .strictObject({
      signingKey: signingKey(folder),
      signIn: signInFront,
      maxDepth: z.int().min(1).max(16).default(8).meta({ description: "Agents in a chain" }),
      maxChildren: z.int().min(1).max(10_000).default(256).meta({ description: "Live agents of one principal, over its whole tree" }),
      ticketsPerMinute: z.int().min(1).max(100_000).default(600).meta({ description: "Enrolment tickets of one principal" }),
      samlPerMinute: z.int().min(1).max(100_000).default(300).meta({ description: "SAML responses posted from one address" }),
      credentialSeconds: z.int().min(5).max(600).default(600).meta({ description: "Life of a credential" }),
      sessionSeconds: z.int().min(60).max(2_592_000).default(43_200).meta({ description: "Life of a session; renewal ends with it" }),
      ticketSeconds: z.int().min(5).max(60).default(60).meta({ description: "Life of an enrolment ticket" }),
    })
    .prefault({});
