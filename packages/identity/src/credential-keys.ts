import type { KeyObject } from "node:crypto";
import { algorithmOf, importPublicJwk } from "./jws.ts";
import { sha256 } from "./thumbprint.ts";

/** Most keys in one set: the current one, the next, and those that still verify. */
const maxKeys = 16;

/** The keys that sign credentials, from authn's JWK Set (RFC 7517). Each is pinned to ES256. */
export class CredentialKeys {
  /** Changes whenever a key does; part of what a verified credential is remembered under. */
  readonly version: string;
  readonly #keys: ReadonlyMap<string, KeyObject>;

  private constructor(keys: ReadonlyMap<string, KeyObject>, version: string) {
    this.#keys = keys;
    this.version = version;
  }

  /**
   * Reads a JWK Set. A set that holds anything but named public P-256 signing keys is not authn's, and is refused whole.
   * @throws Error that says what is wrong with it
   */
  static parse(jwks: string): CredentialKeys {
    const { keys } = JSON.parse(jwks) as { keys?: unknown };
    if (!Array.isArray(keys) || keys.length === 0 || keys.length > maxKeys) throw new Error(`a key set holds 1 to ${maxKeys} keys`);
    const parsed = keys.map(parseKey);
    if (new Set(parsed.map(([kid]) => kid)).size !== parsed.length) throw new Error("two keys of the set share a kid");
    return new CredentialKeys(new Map(parsed), sha256(jwks));
  }

  /** The key of that name. A name is only ever compared, never a path or an address. */
  get(kid: string): KeyObject | undefined {
    return this.#keys.get(kid);
  }
}

function parseKey(jwk: Record<string, unknown>): [string, KeyObject] {
  if (typeof jwk !== "object" || jwk === null || typeof jwk.kid !== "string" || jwk.kid === "")
    throw new Error("a key of the set has no kid");
  if ("d" in jwk || "k" in jwk) throw new Error("the set holds a private key");
  if (algorithmOf(jwk) !== "ES256" || (jwk.alg ?? "ES256") !== "ES256" || (jwk.use ?? "sig") !== "sig")
    throw new Error("a key of the set is not for ES256");
  const key = importPublicJwk(jwk);
  if (key === undefined) throw new Error("a key of the set is malformed");
  return [jwk.kid, key];
}
