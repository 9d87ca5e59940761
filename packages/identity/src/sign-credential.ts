import { Refusal } from "@sallyport/contracts";
import { type CryptoKey, type JWK, type KeyObject, SignJWT } from "jose";
import { maxCredentialLength } from "./credential.ts";
import type { CredentialClaims } from "./credential-claims.ts";

/** The key that signs credentials: a private P-256 key, and the name under which the key set publishes it. */
export interface CredentialSigner {
  readonly key: CryptoKey | KeyObject | JWK | Uint8Array;
  readonly kid: string;
}

/** Signs a credential: ES256, `typ` `at+jwt` (RFC 9068 §2.1). @throws Refusal TOO_LARGE above 8 KiB */
export async function signCredential(claims: CredentialClaims, signer: CredentialSigner): Promise<string> {
  const token = await new SignJWT({ ...claims }).setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: signer.kid }).sign(signer.key);
  if (token.length > maxCredentialLength) {
    throw new Refusal("TOO_LARGE", "This credential would be larger than 8 KiB; use fewer groups, shorter names or a shorter ceiling.");
  }
  return token;
}
