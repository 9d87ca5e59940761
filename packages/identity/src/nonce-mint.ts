import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { sha256 } from "./thumbprint.ts";

/** Milliseconds that a nonce is good for, counted from the beginning of its time bucket. */
export const nonceLifetimeMs = 120_000;

const bucketMs = 10_000;

/**
 * Nonces for DPoP proofs (RFC 9449 §8) without any store: a nonce is a tag of this replica and its boot, a time bucket, and a
 * MAC over both under a key that lives as long as the process. So a nonce of another replica, or from before a restart, is
 * told apart without a question to anyone, and proofs made for it never reach this replica's replay store. Time is monotonic:
 * setting the clock back revives no nonce.
 */
export class NonceMint {
  readonly #tag: string;
  readonly #key: Uint8Array;
  /** The nonces of the buckets that are still good, so that a warm call computes no MAC. */
  readonly #minted = new Map<number, string>();

  /**
   * @param options.replica this replica's name
   * @param options.boot what is new with each start of it; random unless given
   * @param options.key the MAC key; random unless given
   */
  constructor(options: { replica: string; boot?: string; key?: Uint8Array }) {
    this.#tag = sha256(`${options.replica}\n${options.boot ?? randomBytes(16).toString("base64url")}`).slice(0, 10);
    this.#key = options.key ?? randomBytes(32);
  }

  /** The nonce to hand out now. @param monotonic milliseconds of a clock that never goes back */
  current(monotonic: number): string {
    const bucket = Math.floor(monotonic / bucketMs);
    const known = this.#minted.get(bucket);
    if (known !== undefined) return known;
    for (const old of this.#minted.keys()) if (bucket * bucketMs - old * bucketMs >= nonceLifetimeMs) this.#minted.delete(old);
    const nonce = this.#mint(bucket);
    this.#minted.set(bucket, nonce);
    return nonce;
  }

  /** What a nonce that came back is. */
  check(nonce: string, monotonic: number): NonceState {
    const [, tag, time] = /^([A-Za-z0-9_-]{10})\.([0-9a-z]{1,9})\.[A-Za-z0-9_-]{22}$/.exec(nonce) ?? [];
    if (tag === undefined || time === undefined) return { kind: "invalid" };
    if (tag !== this.#tag) return { kind: "foreign" };
    const bucket = Number.parseInt(time, 36);
    const expected = this.#minted.get(bucket) ?? this.#mint(bucket);
    if (expected.length !== nonce.length || !timingSafeEqual(Buffer.from(expected), Buffer.from(nonce))) return { kind: "invalid" };
    const ageMs = monotonic - bucket * bucketMs;
    return ageMs < 0 || ageMs >= nonceLifetimeMs
      ? { kind: "stale" }
      : { kind: "fresh", ageMs, expiresAt: bucket * bucketMs + nonceLifetimeMs };
  }

  #mint(bucket: number): string {
    const named = `${this.#tag}.${bucket.toString(36)}`;
    return `${named}.${createHmac("sha256", this.#key).update(named).digest("base64url").slice(0, 22)}`;
  }
}

/** `foreign`: of another replica or an earlier boot; `invalid`: no nonce of ours at all. `expiresAt` is monotonic. */
export type NonceState =
  | { kind: "fresh"; ageMs: number; expiresAt: number }
  | { kind: "stale" }
  | { kind: "foreign" }
  | { kind: "invalid" };
