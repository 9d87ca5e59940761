import type { KeyObject } from "node:crypto";
import { LRUCache } from "lru-cache";
import { type Algorithm, algorithmOf, type CompactJws, importPublicJwk } from "./jws.ts";
import { jwkThumbprint } from "./thumbprint.ts";

/** The key that a proof names in its header. */
export interface ProofKey {
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
  /** RFC 7638 thumbprint. */
  readonly thumbprint: string;
  /** Only the public members. */
  readonly publicJwk: PublicJwk;
  readonly carriesPrivateKey: boolean;
}

/** A public key as a JWK (RFC 7517): P-256 or Ed25519. */
export type PublicJwk = { kty: "EC"; crv: "P-256"; x: string; y: string } | { kty: "OKP"; crv: "Ed25519"; x: string };

/**
 * The keys of proof headers that were seen to verify. All proofs of one key begin with the same encoded header, so reading
 * the key (about as dear as checking the signature) is paid once a key. Nothing is trusted for being here.
 */
export class ProofKeys {
  readonly #keys: LRUCache<string, ProofKey>;

  /** @param max most headers kept */
  constructor(max = 10_000) {
    this.#keys = new LRUCache({ max });
  }

  /** The key of the header; undefined where there is none of a known kind. */
  read(jws: CompactJws): ProofKey | undefined {
    return this.#keys.get(jws.encodedHeader) ?? readKey(jws.header.jwk);
  }

  /** Keeps a key whose signature held, so that a flood of junk evicts nothing. */
  keep(jws: CompactJws, key: ProofKey): void {
    this.#keys.set(jws.encodedHeader, key);
  }
}

function readKey(jwk: unknown): ProofKey | undefined {
  if (typeof jwk !== "object" || jwk === null) return undefined;
  const members = jwk as Record<string, unknown>;
  const algorithm = algorithmOf(members);
  const key = algorithm === undefined ? undefined : importPublicJwk(members);
  if (algorithm === undefined || key === undefined) return undefined;
  const publicJwk = key.export({ format: "jwk" }) as PublicJwk;
  // From the exported key: one spelling, where a caller's base64url may have had several.
  return { algorithm, key, thumbprint: jwkThumbprint(publicJwk), publicJwk, carriesPrivateKey: "d" in members };
}
