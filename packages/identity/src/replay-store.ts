import { hash } from "node:crypto";

const bucketMs = 10_000;

/**
 * Which proofs were seen (RFC 9449 §11.1). Whose key and which `jti` decides; nothing else of a proof does, for everything else
 * can be spelled in more than one way. An entry stays until the nonce of its proof has run out, after which the nonce refuses
 * it. Bounded: when it is full, proofs are refused, for forgetting one would let it in again.
 */
export class ReplayStore {
  readonly #capacity: number;
  /** Digests by the bucket in which they may be forgotten, so that forgetting drops a whole set. */
  readonly #buckets = new Map<number, Set<string>>();
  #size = 0;

  /** @param capacity most proofs remembered at a time; about 80 bytes each */
  constructor(capacity = 500_000) {
    this.#capacity = capacity;
  }

  /**
   * Spends a proof, once.
   * @param jkt thumbprint of the proof's key
   * @param expiresAt until when it must be remembered; milliseconds of the same clock as `now`, which never goes back
   */
  spend(jkt: string, jti: string, expiresAt: number, now: number): "fresh" | "seen" | "full" {
    this.#forget(now);
    // 128 bits of a digest: entries of one size, whatever a caller puts into `jti`. The thumbprint's length is fixed.
    const entry = hash("sha256", jkt + jti, "latin1").slice(0, 16);
    for (const bucket of this.#buckets.values()) if (bucket.has(entry)) return "seen";
    if (this.#size >= this.#capacity) return "full";
    const number = Math.ceil(expiresAt / bucketMs);
    const bucket = this.#buckets.get(number);
    if (bucket === undefined) this.#buckets.set(number, new Set([entry]));
    else bucket.add(entry);
    this.#size += 1;
    return "fresh";
  }

  /** Proofs remembered now. */
  get size(): number {
    return this.#size;
  }

  #forget(now: number): void {
    for (const [number, bucket] of this.#buckets) {
      if (number * bucketMs > now) continue;
      this.#buckets.delete(number);
      this.#size -= bucket.size;
    }
  }
}
