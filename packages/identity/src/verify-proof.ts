import { normalizeHtu } from "./htu.ts";
import { isSeconds, maxSkewSeconds, splitJws, verifyJws } from "./jws.ts";
import type { NonceMint, NonceState } from "./nonce-mint.ts";
import type { ProofKeys, PublicJwk } from "./proof-keys.ts";
import type { ReplayStore } from "./replay-store.ts";

/** Most characters of a proof. */
export const maxProofLength = 4096;

/** A proof of possession that held: spent, never to hold again. */
export interface Proof {
  /** RFC 7638 thumbprint of the holder's key. */
  readonly thumbprint: string;
  readonly publicJwk: PublicJwk;
  /** Milliseconds since the proof's nonce was minted. */
  readonly nonceAgeMs: number;
}

/** What a proof must be for. */
export interface ExpectedProof {
  /** The URI of the call, without query and fragment. */
  readonly htu: string;
  /** SHA-256 of the request message's bytes (of a stream: its first message). */
  readonly requestHash: Uint8Array;
  /**
   * Where a credential comes with it: base64url SHA-256 of the token, and the thumbprint of the key that it is bound to;
   * undefined for one that is bound to a certificate, whose holder's key the caller must compare itself.
   */
  readonly credential?: { readonly tokenHash: string; readonly thumbprint: string | undefined };
  /** Epoch milliseconds. */
  readonly now: number;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: number;
}

/** What this replica keeps between proofs. */
export interface ProofMemory {
  readonly keys: ProofKeys;
  readonly nonces: NonceMint;
  readonly replays: ReplayStore;
}

/** Why a proof did not hold, in the order in which it is checked. */
export type ProofFault =
  | "malformed"
  | "claim-missing"
  | "wrong-type"
  | "wrong-algorithm"
  | "bad-signature"
  | "private-key"
  | "wrong-method"
  | "wrong-uri"
  | "nonce-missing"
  | `nonce-${Exclude<NonceState["kind"], "fresh">}`
  | "wrong-time"
  | "wrong-credential"
  | "wrong-key"
  | "wrong-request"
  | "replayed"
  | "replays-full";

export type ProofVerification = { kind: "verified"; proof: Proof } | { kind: "refused"; why: ProofFault; sentence: string };

/**
 * Verifies a DPoP proof by the list of RFC 9449 §4.3, in its order (1., that there is only one header, is the listener's),
 * then Sallyport's `rqh`, and last of all whether it was seen before, so that only proofs that hold take room there.
 */
export function verifyProof(token: string, expected: ExpectedProof, memory: ProofMemory): ProofVerification {
  // 2. a single and well-formed JWT; an extension that must be understood is not (RFC 7515 §4.1.11)
  const jws = splitJws(token, maxProofLength);
  if (jws === undefined || "crit" in jws.header) return refused("malformed", "is not one well-formed JWT of at most 4 KiB");
  // 3. all required claims
  const { jti, htm, htu, iat, ath, nonce, rqh } = jws.claims;
  if (
    typeof jti !== "string" ||
    jti.length < 16 ||
    jti.length > 128 ||
    typeof htm !== "string" ||
    typeof htu !== "string" ||
    iat === undefined
  ) {
    return refused("claim-missing", "lacks one of `jti` (16 to 128 characters), `htm`, `htu`, `iat`");
  }
  // 4. typ
  if (jws.header.typ !== "dpop+jwt") return refused("wrong-type", "is not of the type `dpop+jwt`");
  // 5. an algorithm that is accepted, and that the key is for
  const key = memory.keys.read(jws);
  if (key === undefined || jws.header.alg !== key.algorithm)
    return refused("wrong-algorithm", "must be signed with ES256 or EdDSA by the P-256 or Ed25519 key in its `jwk`");
  // 6. the signature
  if (!verifyJws(jws, key.algorithm, key.key)) return refused("bad-signature", "is not signed by the key that it names");
  // 7. no private key
  if (key.carriesPrivateKey) return refused("private-key", "carries its private key, which is now known to others: make a new one");
  memory.keys.keep(jws, key);
  // 8. htm: methods are case-sensitive (RFC 9110 §9.1)
  if (htm !== "POST") return refused("wrong-method", "is not for the method POST");
  // 9. htu, normalised
  if (!sameHtu(htu, expected.htu)) return refused("wrong-uri", `is not for ${expected.htu}`);
  // 10. nonce
  if (nonce === undefined) return refused("nonce-missing", "lacks a nonce; make it again with the one in `dpop-nonce`");
  const freshness: NonceState = typeof nonce === "string" ? memory.nonces.check(nonce, expected.monotonic) : { kind: "invalid" };
  if (freshness.kind !== "fresh")
    return refused(`nonce-${freshness.kind}`, "has a nonce that is not good here (any more); make it again with the one in `dpop-nonce`");
  // 11. creation time
  if (!isSeconds(iat) || Math.abs(iat - expected.now / 1000) > maxSkewSeconds) return refused("wrong-time", ageSentence(iat, expected.now));
  // 12. the credential that comes with it
  if (expected.credential !== undefined) {
    if (ath !== expected.credential.tokenHash) return refused("wrong-credential", "is not for the credential that came with it");
    const { thumbprint = key.thumbprint } = expected.credential;
    if (key.thumbprint !== thumbprint) return refused("wrong-key", "is by another key than the credential is bound to");
  }
  // Sallyport's own: the request message itself
  if (rqh !== Buffer.from(expected.requestHash).toString("base64url"))
    return refused("wrong-request", "is not for this request's bytes (`rqh`)");
  switch (memory.replays.spend(key.thumbprint, jti, freshness.expiresAt, expected.monotonic)) {
    case "seen":
      return refused("replayed", "was used before; make a new one for each call");
    case "full":
      return refused("replays-full", "cannot be remembered just now; try again in a few seconds");
    case "fresh":
      return { kind: "verified", proof: { thumbprint: key.thumbprint, publicJwk: key.publicJwk, nonceAgeMs: freshness.ageMs } };
  }
}

function sameHtu(htu: string, expected: string): boolean {
  if (htu === expected) return true;
  const normalized = normalizeHtu(htu);
  return normalized !== undefined && normalized === normalizeHtu(expected);
}

const ageSentence = (iat: unknown, now: number) =>
  isSeconds(iat)
    ? `was made ${Math.round(Math.abs(iat - now / 1000))} s ${iat * 1000 > now ? "ahead of" : "behind"} this service's clock; set the caller's clock (60 s are allowed)`
    : "has an `iat` that is not a whole number of seconds";

const refused = (why: ProofFault, what: string): ProofVerification => ({ kind: "refused", why, sentence: `The proof (DPoP) ${what}.` });
