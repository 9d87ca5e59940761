import { z } from "zod";
import { referenceIn } from "./fields.ts";

/** Plain HTTP only to this machine itself (RFC 8252 §8.3). */
const isSecure = ({ protocol, hostname }: URL) =>
  protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(hostname));

const origin = z.string().transform((text, context) => {
  const url = URL.parse(text);
  if (url !== null && isSecure(url) && url.origin === text.replace(/\/$/, "")) return url.origin;
  context.addIssue({ code: "custom", message: "must be https and nothing but a host, such as https://sallyport.example.com" });
  return z.NEVER;
});

const redirectUri = z
  .string()
  .max(1000)
  .refine(
    (text) => {
      const url = URL.parse(text);
      return url !== null && isSecure(url) && url.hash === "" && !text.includes("#") && url.username === "" && url.href === text;
    },
    { error: "must be an https URL, written as browsers write it, without a fragment (RFC 6749 §3.1.2)" },
  );

/** Not to be given to another: the command line's own. */
export const commandLineClient = "sallyport-cli";

const client = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "must be lower-case letters, digits, '.', '_' or '-'")
    .refine((id) => id !== commandLineClient, "is the command line's own, which needs no entry"),
  redirectUris: z.array(redirectUri).min(1).meta({ description: "Where it may be answered; compared exactly" }),
});

/** Where people sign in at authn itself. */
export const signInFront = z
  .strictObject({
    url: origin.meta({ description: "Where people's browsers reach authn's HTTP edge: https://HOST" }),
    clients: z
      .array(client)
      .default([])
      .superRefine((clients, context) => {
        for (const [index, { id }] of clients.entries())
          if (clients.findIndex((other) => other.id === id) < index)
            context.addIssue({ code: "custom", path: [index, "id"], message: `"${id}" is the id of an earlier client` });
      })
      .meta({ description: "Consoles that people sign in to, beside the command line" }),
  })
  .optional()
  .meta({ description: "People sign in at authn: by a device code, or by authorization code with PKCE" });

export type SignInFrontConfig = NonNullable<z.output<typeof signInFront>>;

/** What authn itself is at an issuer: a confidential client that redirects to `https://HOST/oauth/callback/NAME`. */
export const issuerClient = (folder: string) =>
  z
    .strictObject({
      clientId: z.string().min(1).max(300).meta({ description: "What the issuer knows authn as; one of audience" }),
      clientSecret: referenceIn(folder),
      scopes: z
        .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, "must be a scope (RFC 6749 §3.3)"))
        .default([])
        .meta({ description: "What to ask for beside openid" }),
    })
    .optional()
    .meta({ description: "People sign in at authn, which is this client of the issuer; needs authn.signIn" });

interface SignInSettings {
  trust: {
    oidc: { kind: string; audience: string[]; signIn?: { clientId: string } | undefined }[];
    saml: { acs: string; spInitiated: boolean }[];
  };
  authn: { signIn?: { url: string } | undefined };
}

/** Nothing of a sign-in is passed over in silence: what is there only in half is refused. */
export function checkSignIn({ trust: { oidc, saml }, authn: { signIn: front } }: SignInSettings, context: z.RefinementCtx): void {
  const say = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
  for (const [index, { kind, audience, signIn }] of oidc.entries()) {
    if (signIn === undefined) continue;
    const at = ["trust", "oidc", index, "signIn"];
    if (front === undefined) say(at, "needs authn.signIn, with the url at which people's browsers reach authn");
    if (kind !== "person") say(at, `is for people, and what signs in here is a ${kind}`);
    // OIDC Core §3.1.3.7, 3: an ID token is for the client that asked.
    if (!audience.includes(signIn.clientId)) say([...at, "clientId"], "must be one of audience: its ID tokens are made for it");
  }
  if (front === undefined) return;
  for (const [index, { acs, spInitiated }] of saml.entries())
    if (spInitiated && new URL(acs).origin !== front.url) say(["trust", "saml", index, "acs"], "must be at authn.signIn.url");
  if (oidc.every(({ signIn }) => signIn === undefined) && !saml.some(({ spInitiated }) => spInitiated))
    say(["authn", "signIn"], "nobody can sign in there: give an issuer below trust.oidc its signIn, or a SAML provider spInitiated");
}
