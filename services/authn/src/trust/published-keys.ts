import { KeyObject } from "node:crypto";
import { importJWK, type JWK } from "jose";
import { fits } from "./algorithms.ts";

/** A key that an issuer publishes, ready to check signatures of one algorithm. */
export interface PublishedKey {
  readonly kid: string | undefined;
  readonly algorithm: string;
  readonly key: KeyObject;
}

/** Most entries of a key set that are looked at. */
const maxKeys = 64;

/**
 * The usable keys of a JWK Set (RFC 7517 §5). An entry that is malformed, private, symmetric, too small or for another
 * algorithm is passed over, as §5 asks; it never spoils the others. Empty where nothing is usable.
 */
export async function publishedKeys(document: unknown, algorithms: readonly string[]): Promise<PublishedKey[]> {
  const entries = isObject(document) && Array.isArray(document.keys) ? document.keys.slice(0, maxKeys) : [];
  const found: PublishedKey[] = [];
  for (const entry of entries) {
    if (!isObject(entry) || "d" in entry || "k" in entry) continue;
    for (const algorithm of algorithms.filter((name) => fits(entry, name))) {
      const key = await publicKey(entry as JWK, algorithm);
      if (key !== undefined) found.push({ kid: typeof entry.kid === "string" ? entry.kid : undefined, algorithm, key });
    }
  }
  return found;
}

async function publicKey(jwk: JWK, algorithm: string): Promise<KeyObject | undefined> {
  try {
    const { kty, crv, x, y, n, e } = jwk;
    const known = Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined)) as JWK;
    const key = await importJWK(known, algorithm);
    if (key instanceof Uint8Array || key.type !== "public") return undefined;
    const { modulusLength } = key.algorithm as { modulusLength?: number };
    // RFC 7518 §3.3: 2048 bits or larger.
    return modulusLength !== undefined && modulusLength < 2048 ? undefined : KeyObject.from(key as never);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
