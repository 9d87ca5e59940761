import { Refusal } from "@sallyport/contracts";
import { type Credential, maxCredentialLength } from "./credential.ts";
import type { CredentialCache } from "./credential-cache.ts";
import type { CredentialKeys } from "./credential-keys.ts";
import { type CompactJws, maxSkewSeconds, splitJws, verifyJws } from "./jws.ts";
import { credentialFrom } from "./parse-claims.ts";
import { sha256 } from "./thumbprint.ts";

/** What a credential must be to be accepted here. */
export interface ExpectedCredential {
  readonly keys: CredentialKeys;
  readonly issuer: string;
  readonly audience: string;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly cache?: CredentialCache;
  /** base64url SHA-256 of the token, where the caller has it already. */
  readonly tokenHash?: string;
  /** Also accept one that has expired: to name the session that it was issued for, and for nothing else. */
  readonly lapsed?: boolean;
}

/** Why a credential was not accepted. */
export type CredentialFault =
  | "malformed"
  | "wrong-type"
  | "wrong-algorithm"
  | "embedded-key"
  | "unknown-key"
  | "bad-signature"
  | "wrong-issuer"
  | "wrong-audience"
  | "bad-claims"
  | "not-yet-valid"
  | "expired";

export type CredentialVerification =
  | { kind: "verified"; credential: Credential }
  | { kind: "refused"; why: CredentialFault; sentence: string };

/**
 * Verifies a credential (RFC 9068 §4, RFC 8725). Not looked at: revocation, epoch, and whether the caller holds its key.
 * `iat` and `nbf` may lie up to 60 s ahead, for clocks differ; `exp` is strict, as a holder renews long before it.
 */
export function verifyCredential(token: string, expected: ExpectedCredential): CredentialVerification {
  if (token.length > maxCredentialLength) return refused("malformed", "is longer than 8 KiB");
  const key = {
    tokenHash: expected.tokenHash ?? sha256(token),
    issuer: expected.issuer,
    audience: expected.audience,
    keysVersion: expected.keys.version,
  };
  const remembered = expected.cache?.get(key);
  if (remembered !== undefined) return inTime(remembered, expected);
  const anew = verifyAnew(token, expected);
  const verification = anew.kind === "verified" ? inTime(anew.credential, expected) : anew;
  if (verification.kind === "verified") expected.cache?.set(key, verification.credential);
  return verification;
}

function verifyAnew(token: string, expected: ExpectedCredential): CredentialVerification {
  const jws = splitJws(token, maxCredentialLength);
  if (jws === undefined) return refused("malformed", "is not a JWT");
  const { header, claims } = jws;
  if (header.typ !== "at+jwt" && header.typ !== "application/at+jwt") return refused("wrong-type", "is not of the type `at+jwt`");
  // RFC 8725 §3.1: the algorithm is the key's, and the token's word for it only has to agree.
  if (header.alg !== "ES256") return refused("wrong-algorithm", "is not signed with ES256");
  // RFC 8725 §3.10: no key, and no place where one would be, is ever taken from the token itself.
  if (["jwk", "jku", "x5u", "x5c", "crit"].some((name) => name in header))
    return refused("embedded-key", "names its own key or a critical extension");
  if (!signatureHolds(jws, header.kid, expected.keys)) return signatureFault(header.kid, expected.keys);
  if (claims.iss !== expected.issuer) return refused("wrong-issuer", "was not issued by this installation's authn");
  if (claims.aud !== expected.audience) return refused("wrong-audience", "is for another installation");
  return parsed(claims);
}

function signatureHolds(jws: CompactJws, kid: unknown, keys: CredentialKeys): boolean {
  const key = typeof kid === "string" ? keys.get(kid) : undefined;
  return key !== undefined && verifyJws(jws, "ES256", key);
}

const signatureFault = (kid: unknown, keys: CredentialKeys) =>
  typeof kid === "string" && keys.get(kid) !== undefined
    ? refused("bad-signature", "does not carry authn's signature")
    : refused("unknown-key", "is signed with a key that authn does not publish (any more)");

function parsed(claims: Record<string, unknown>): CredentialVerification {
  try {
    return { kind: "verified", credential: credentialFrom(claims) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refused("bad-claims", "carries claims that are malformed or contradict each other");
  }
}

function inTime(credential: Credential, { now, lapsed }: ExpectedCredential): CredentialVerification {
  const latestStart = now / 1000 + maxSkewSeconds;
  if (credential.issuedAt > latestStart || (credential.notBefore ?? 0) > latestStart) {
    return refused("not-yet-valid", "is not valid yet: the clocks of authn and this service differ");
  }
  if (credential.expiresAt * 1000 <= now && lapsed !== true) return refused("expired", "has expired");
  return { kind: "verified", credential };
}

const refused = (why: CredentialFault, what: string): CredentialVerification => ({
  kind: "refused",
  why,
  sentence: `This credential ${what}.`,
});
