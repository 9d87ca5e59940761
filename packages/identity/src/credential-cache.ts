import { LRUCache } from "lru-cache";
import type { Credential } from "./credential.ts";

/**
 * Remembers credentials that were verified, so that a warm connection pays for one signature a call, not two. The key is the
 * digest of the *whole* token, and everything that it was verified against. Time and revocation are never remembered: they
 * are looked at on each use. Failures are not kept, so that a flood of bad tokens evicts nothing.
 */
export class CredentialCache {
  readonly #verified: LRUCache<string, Credential>;

  /** @param max most credentials kept; the least recently used goes first */
  constructor(max = 10_000) {
    this.#verified = new LRUCache({ max });
  }

  get(key: CacheKey): Credential | undefined {
    return this.#verified.get(textOf(key));
  }

  set(key: CacheKey, credential: Credential): void {
    this.#verified.set(textOf(key), credential);
  }

  get size(): number {
    return this.#verified.size;
  }
}

/** What a verification depended on, time aside. */
export interface CacheKey {
  /** base64url SHA-256 of the whole token. */
  readonly tokenHash: string;
  readonly issuer: string;
  readonly audience: string;
  readonly keysVersion: string;
}

const textOf = (key: CacheKey) => `${key.tokenHash}\n${key.keysVersion}\n${key.issuer}\n${key.audience}`;
