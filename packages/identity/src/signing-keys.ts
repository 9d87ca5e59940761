import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { algorithmOf, isSeconds } from "./jws.ts";
import type { CredentialSigner } from "./sign-credential.ts";
import { jwkThumbprint } from "./thumbprint.ts";

/** A private key of authn's that signs credentials, from one time on, and whose public half is published until another. */
export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
  /** Epoch seconds; 0 where it always did. Published before, so that whoever verifies knows it by then. */
  readonly signsFrom: number;
  /** Epoch seconds; undefined while it is the newest. */
  readonly publishedUntil: number | undefined;
}

/** What authn's key file holds. */
export interface SigningKeys {
  readonly keys: readonly SigningKey[];
  /** What keys for authn's records in the state are derived from. The same through every rotation, or no session could be read. */
  readonly stateSecret: Uint8Array;
}

/** As many as whoever verifies takes in. */
const maxKeys = 16;

/**
 * Reads the key file: one private P-256 JWK (RFC 7517) as `init` makes it, or, once keys were rotated, a set of them with the
 * members `nbf` (signs from) and `exp` (published until) and, beside them, `state_secret`.
 * @throws Error that quotes nothing of it
 */
export function parseSigningKeys(text: string): SigningKeys {
  const file = objectFrom(text);
  const jwks = "keys" in file ? file.keys : [file];
  if (!Array.isArray(jwks) || jwks.length === 0 || jwks.length > maxKeys) throw new Error(`it holds not 1 to ${maxKeys} keys`);
  const keys = jwks.map(parseKey);
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) throw new Error("two of its keys share a kid");
  const secret = "keys" in file ? file.state_secret : file.d;
  if (typeof secret !== "string" || Buffer.from(secret, "base64url").length < 32) throw new Error("it holds no state_secret of 32 bytes");
  return { keys, stateSecret: Buffer.from(secret, "base64url") };
}

/** The newest key whose time has come. @param now epoch milliseconds @throws Error where there is none */
export function signerAt({ keys }: SigningKeys, now: number): CredentialSigner {
  const [newest] = published(keys, now)
    .filter(({ signsFrom }) => signsFrom * 1000 <= now)
    .sort((one, other) => other.signsFrom - one.signsFrom);
  if (newest === undefined) throw new Error("none of its keys may sign now");
  return { key: newest.key, kid: newest.kid };
}

/** The public halves that verify now, as a JWK Set. @param now epoch milliseconds */
export const publishedAt = ({ keys }: SigningKeys, now: number): string =>
  JSON.stringify({
    keys: published(keys, now).map(({ key, kid }) => {
      const { kty, crv, x, y } = key.export({ format: "jwk" });
      return { kty, crv, x, y, kid, alg: "ES256", use: "sig" };
    }),
  });

/**
 * The key file with a new key in it.
 * @param times.now epoch milliseconds
 * @param times.signsIn seconds until the new key signs: by then every authn has the file, and everyone who verifies the key
 * @param times.keptFor seconds that older keys are published from then on: as long as a session that holds their credentials can live
 * @throws Error where a new key waits already, or too many old ones are still needed
 */
export function rotateSigningKeys(text: string, times: { now: number; signsIn: number; keptFor: number }): { text: string; kid: string } {
  const { now, signsIn, keptFor } = times;
  const { keys, stateSecret } = parseSigningKeys(text);
  if (keys.some(({ signsFrom }) => signsFrom * 1000 > now)) throw new Error("a new key waits already for its time to sign");
  const nbf = Math.ceil(now / 1000) + signsIn;
  const older = published(keys, now).map(({ key, kid, signsFrom, publishedUntil }) => ({
    ...key.export({ format: "jwk" }),
    kid,
    nbf: signsFrom,
    exp: publishedUntil ?? nbf + keptFor,
  }));
  if (older.length >= maxKeys) throw new Error(`${older.length} older keys are still needed to verify: rotate less often`);
  const jwk = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const kid = jwkThumbprint({ ...jwk });
  const set = { keys: [...older, { ...jwk, kid, nbf }], state_secret: Buffer.from(stateSecret).toString("base64url") };
  return { text: `${JSON.stringify(set)}\n`, kid };
}

const published = (keys: readonly SigningKey[], now: number): SigningKey[] =>
  keys.filter(({ publishedUntil }) => publishedUntil === undefined || publishedUntil * 1000 > now);

function parseKey(value: unknown): SigningKey {
  const jwk = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (algorithmOf(jwk) !== "ES256" || typeof jwk.d !== "string") throw new Error("one of its keys is no private P-256 key");
  const { kty, crv, x, y, d, kid, nbf = 0, exp } = jwk;
  if (!isSeconds(nbf) || (exp !== undefined && (!isSeconds(exp) || exp <= nbf)))
    throw new Error("one of its keys has an nbf or exp that is none");
  const key = privateKey({ kty, crv, x, y, d });
  return { kid: typeof kid === "string" && kid !== "" ? kid : jwkThumbprint(jwk), key, signsFrom: nbf, publishedUntil: exp };
}

/** The parser's words could quote the key. */
function privateKey(jwk: object): KeyObject {
  try {
    return createPrivateKey({ key: jwk, format: "jwk" } as never);
  } catch {
    throw new Error("one of its keys is malformed");
  }
}

function objectFrom(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, without the parser's words, which could quote it.
  }
  throw new Error("it is no JSON object");
}
