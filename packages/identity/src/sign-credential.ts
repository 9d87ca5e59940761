import { type KeyObject, sign } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import { maxCredentialLength } from "./credential.ts";
import type { CredentialClaims } from "./credential-claims.ts";

/** The key that signs credentials: a private P-256 key, or whoever has it, and the name under which the key set publishes it. */
export type CredentialSigner = { readonly kid: string } & (
  | { readonly key: KeyObject }
  /** ES256 over these bytes: r and s, 32 bytes each (RFC 7518 §3.4). */
  | { readonly sign: (input: Uint8Array) => Promise<Uint8Array> }
);

/** Signs a credential: ES256, `typ` `at+jwt` (RFC 9068 §2.1). @throws Refusal TOO_LARGE above 8 KiB */
export async function signCredential(claims: CredentialClaims, signer: CredentialSigner): Promise<string> {
  const header = { alg: "ES256", typ: "at+jwt", kid: signer.kid };
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const bytes = Buffer.from(input, "latin1");
  // At once: a thread of its own takes longer than the signature.
  const signature = "key" in signer ? sign("sha256", bytes, { key: signer.key, dsaEncoding: "ieee-p1363" }) : await signer.sign(bytes);
  const token = `${input}.${Buffer.from(signature).toString("base64url")}`;
  if (token.length > maxCredentialLength) {
    throw new Refusal("TOO_LARGE", "This credential would be larger than 8 KiB; use fewer groups, shorter names or a shorter ceiling.");
  }
  return token;
}
