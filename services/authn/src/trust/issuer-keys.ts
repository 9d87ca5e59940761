import { Refusal } from "@sallyport/contracts";
import { type PublishedKey, publishedKeys } from "./published-keys.ts";

export interface KeyTimes {
  /** Milliseconds after which keys are asked for again before they are used: how long a withdrawn key can still work. */
  readonly freshMs: number;
  /** Milliseconds that keys still serve while the issuer answers nothing usable. */
  readonly keepMs: number;
  /** Least milliseconds between two questions to the issuer, whatever tokens arrive: how long a new key can take to work. */
  readonly pauseMs: number;
}

export const keyTimes: KeyTimes = { freshMs: 5 * 60_000, keepMs: 60 * 60_000, pauseMs: 5_000 };

/**
 * The keys of one issuer. They are fetched when first needed, when they are no longer fresh and when a token names a key
 * that is not among them, but only one fetch runs at a time and never more than one in `pauseMs`, so that made-up key ids
 * cost the issuer nothing. A fetch that fails, or that holds no usable key, changes nothing: the last good keys serve until
 * `keepMs` after they were fetched. A fetch that succeeds replaces them all, so a withdrawn key stops working.
 */
export class IssuerKeys {
  readonly #fetch: () => Promise<unknown>;
  readonly #algorithms: readonly string[];
  readonly #now: () => number;
  readonly #times: KeyTimes;
  #keys: readonly PublishedKey[] = [];
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #failure: unknown;
  #asking: Promise<void> | undefined;

  /**
   * @param fetch the issuer's JWK Set; bounded in time by itself
   * @param now monotonic milliseconds
   */
  constructor(fetch: () => Promise<unknown>, algorithms: readonly string[], now: () => number, times: KeyTimes = keyTimes) {
    this.#fetch = fetch;
    this.#algorithms = algorithms;
    this.#now = now;
    this.#times = times;
  }

  /**
   * The key that a token's header names. Without a `kid` it must be the only key of the algorithm.
   * @throws Refusal UNAUTHENTICATED where there is no such key, TARGET_UNAVAILABLE where the issuer's keys cannot be had
   */
  async find(algorithm: string, kid: string | undefined): Promise<PublishedKey> {
    if (this.#age() > this.#times.freshMs) {
      const asked = this.#ask();
      // Once a question has failed nobody waits for the next one while older keys still serve.
      if (this.#failure === undefined || this.#age() > this.#times.keepMs) await asked;
    }
    let candidates = this.#candidates(algorithm, kid);
    if (candidates.length === 0) {
      await this.#ask();
      candidates = this.#candidates(algorithm, kid);
    }
    if (candidates.length === 1) return candidates[0] as PublishedKey;
    if (candidates.length > 1) {
      throw new Refusal("UNAUTHENTICATED", "The token does not say which of its issuer's keys signed it (`kid`): the issuer must name it.");
    }
    if (this.#usable().length === 0) {
      throw new Refusal(
        "TARGET_UNAVAILABLE",
        "The token's issuer gives no usable signing keys right now: try again, or check its key address.",
        {
          retryAfterMs: this.#times.pauseMs,
          cause: this.#failure,
        },
      );
    }
    throw new Refusal("UNAUTHENTICATED", "The token's issuer publishes no key that this token names: sign in again.");
  }

  #candidates(algorithm: string, kid: string | undefined): PublishedKey[] {
    return this.#usable().filter((key) => key.algorithm === algorithm && (kid === undefined || key.kid === kid));
  }

  #usable(): readonly PublishedKey[] {
    return this.#age() <= this.#times.keepMs ? this.#keys : [];
  }

  #age(): number {
    return this.#now() - this.#fetchedAt;
  }

  #ask(): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const now = this.#now();
    if (now - this.#askedAt < this.#times.pauseMs) return Promise.resolve();
    this.#askedAt = now;
    this.#asking = this.#load().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #load(): Promise<void> {
    const askedAt = this.#now();
    try {
      const keys = await publishedKeys(await this.#fetch(), this.#algorithms);
      if (keys.length === 0) throw new Error("the issuer's key set holds no usable key");
      this.#keys = keys;
      this.#fetchedAt = askedAt;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    }
  }
}
