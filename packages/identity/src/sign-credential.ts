import { Refusal } from "@sallyport/contracts";
import { type CryptoKey, type JWK, type KeyObject, SignJWT } from "jose";
import { maxCredentialLength } from "./credential.ts";
import type { CredentialClaims } from "./credential-claims.ts";

/** The key that signs credentials: a private P-256 key, or whoever has it, and the name under which the key set publishes it. */
export type CredentialSigner = { readonly kid: string } & (
  | { readonly key: CryptoKey | KeyObject | JWK | Uint8Array }
  /** ES256 over these bytes: r and s, 32 bytes each (RFC 7518 §3.4). */
  | { readonly sign: (input: Uint8Array) => Promise<Uint8Array> }
);

/** Signs a credential: ES256, `typ` `at+jwt` (RFC 9068 §2.1). @throws Refusal TOO_LARGE above 8 KiB */
export async function signCredential(claims: CredentialClaims, signer: CredentialSigner): Promise<string> {
  const header = { alg: "ES256", typ: "at+jwt", kid: signer.kid };
  const token =
    "key" in signer
      ? await new SignJWT({ ...claims }).setProtectedHeader(header).sign(signer.key)
      : await signedBy(signer.sign, header, claims);
  if (token.length > maxCredentialLength) {
    throw new Refusal("TOO_LARGE", "This credential would be larger than 8 KiB; use fewer groups, shorter names or a shorter ceiling.");
  }
  return token;
}

async function signedBy(sign: (input: Uint8Array) => Promise<Uint8Array>, header: object, claims: object): Promise<string> {
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${input}.${Buffer.from(await sign(Buffer.from(input, "latin1"))).toString("base64url")}`;
}
