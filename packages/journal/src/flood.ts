import type { Draft } from "@sallyport/evidence";

/** Refusals of one kind that were not written one by one. */
export interface Suppressed {
  /** The last of them. */
  draft: Draft;
  count: number;
  /** Epoch milliseconds. */
  firstAt: number;
  lastAt: number;
}

const burstPerKey = 20;
const perSecondPerKey = 1;
const burstOverall = 500;
const perSecondOverall = 50;
const maxKeys = 1024;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Bounds how many refusals are written one by one: per caller and kind, and over all of them. What is over the bound is
 * counted, and {@link take} hands the counts over as one record each.
 */
export class Flood {
  readonly #buckets = new Map<string, Bucket>();
  readonly #overall: Bucket = { tokens: burstOverall, at: Number.NEGATIVE_INFINITY };
  #suppressed = new Map<string, Suppressed>();

  /** Whether this refusal gets a record of its own. @param now epoch milliseconds */
  admits(draft: Draft, now: number): boolean {
    return (
      refill(this.#bucket(keyOf(draft), now), now, burstPerKey, perSecondPerKey) &&
      refill(this.#overall, now, burstOverall, perSecondOverall)
    );
  }

  /** Counts one that got none. */
  count(draft: Draft, now: number, times: Pick<Suppressed, "count" | "firstAt"> = { count: 1, firstAt: now }): void {
    let key = keyOf(draft);
    if (!this.#suppressed.has(key) && this.#suppressed.size >= maxKeys) key = `${draft.facts.event}|others`;
    const { count, firstAt } = this.#suppressed.get(key) ?? { count: 0, firstAt: times.firstAt };
    this.#suppressed.set(key, { draft, count: count + times.count, firstAt: Math.min(firstAt, times.firstAt), lastAt: now });
  }

  /** What was counted since the last call. */
  take(): Suppressed[] {
    const taken = [...this.#suppressed.values()];
    this.#suppressed = new Map();
    return taken;
  }

  #bucket(key: string, now: number): Bucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    if (this.#buckets.size >= maxKeys) this.#buckets.delete(this.#buckets.keys().next().value as string);
    const bucket = { tokens: burstPerKey, at: now };
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

function refill(bucket: Bucket, now: number, burst: number, perSecond: number): boolean {
  const elapsed = Math.max(0, now - bucket.at);
  bucket.tokens = Math.min(burst, Number.isFinite(elapsed) ? bucket.tokens + (elapsed * perSecond) / 1000 : burst);
  bucket.at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

function keyOf({ facts }: Draft): string {
  const who = facts.chain?.links.at(-1)?.id ?? facts.peer?.address?.replace(/:\d+$/, "") ?? "";
  return JSON.stringify([facts.event, facts.reason, who]);
}
