import { constants, type KeyObject, verify } from "node:crypto";

type Way = { readonly hash: string | null; readonly of?: object };

const pss = (hash: string, saltLength: number): Way => ({ hash, of: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength } });
const ecdsa = (hash: string): Way => ({ hash, of: { dsaEncoding: "ieee-p1363" } });

/** How each algorithm's signature is checked (RFC 7518 §3.3 to §3.5, RFC 8037 §3.1). */
const ways: Readonly<Record<string, Way>> = {
  RS256: { hash: "sha256" },
  RS384: { hash: "sha384" },
  RS512: { hash: "sha512" },
  PS256: pss("sha256", 32),
  PS384: pss("sha384", 48),
  PS512: pss("sha512", 64),
  ES256: ecdsa("sha256"),
  ES384: ecdsa("sha384"),
  ES512: ecdsa("sha512"),
  EdDSA: { hash: null },
  Ed25519: { hash: null },
};

/**
 * Whether a compact JWS carries the key's signature by this algorithm, which is the key's own and not the token's to choose.
 * Synchronous, as `verifyJws` of credentials is: handing each signature to a thread costs more than checking it.
 */
export function signatureHolds(token: string, algorithm: string, key: KeyObject): boolean {
  const way = Object.hasOwn(ways, algorithm) ? ways[algorithm] : undefined;
  if (way === undefined) return false;
  const end = token.lastIndexOf(".");
  const signature = Buffer.from(token.slice(end + 1), "base64url");
  // One spelling (RFC 4648 §3.5): the bits of the last character that stand for nothing are zero.
  if (signature.toString("base64url") !== token.slice(end + 1)) return false;
  return verify(way.hash, Buffer.from(token.slice(0, end), "latin1"), { key, ...way.of }, signature);
}
