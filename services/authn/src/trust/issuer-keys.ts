import { Refusal } from "@sallyport/contracts";
import { type PublishedKey, publishedKeys } from "./published-keys.ts";
import { Refreshed, type RefreshTimes } from "./refreshed.ts";

export const keyTimes: RefreshTimes = { freshMs: 5 * 60_000, keepMs: 60 * 60_000, pauseMs: 5_000 };

/**
 * The keys of one issuer. They are fetched when first needed, when they are no longer fresh and when a token names a key
 * that is not among them, within the bounds of {@link Refreshed}: made-up key ids cost the issuer nothing. A fetch that holds no
 * usable key has failed.
 */
export class IssuerKeys {
  readonly #keys: Refreshed<readonly PublishedKey[]>;

  /**
   * @param fetch the issuer's JWK Set; bounded in time by itself
   * @param now monotonic milliseconds
   */
  constructor(fetch: () => Promise<unknown>, algorithms: readonly string[], now: () => number, times: RefreshTimes = keyTimes) {
    const load = async () => {
      const keys = await publishedKeys(await fetch(), algorithms);
      if (keys.length === 0) throw new Error("the issuer's key set holds no usable key");
      return keys;
    };
    this.#keys = new Refreshed(load, now, times);
  }

  /**
   * The key that a token's header names. Without a `kid` it must be the only key of the algorithm.
   * @throws Refusal UNAUTHENTICATED where there is no such key, TARGET_UNAVAILABLE where the issuer's keys cannot be had
   */
  async find(algorithm: string, kid: string | undefined): Promise<PublishedKey> {
    const asked = this.#keys.whenStale();
    // Once a question has failed nobody waits for the next one while older keys still serve.
    if (this.#keys.failure === undefined || this.#keys.known === undefined) await asked;
    let candidates = this.#candidates(algorithm, kid);
    if (candidates.length === 0) {
      await this.#keys.ask();
      candidates = this.#candidates(algorithm, kid);
    }
    if (candidates.length === 1) return candidates[0] as PublishedKey;
    if (candidates.length > 1) {
      throw new Refusal("UNAUTHENTICATED", "The token does not say which of its issuer's keys signed it (`kid`): the issuer must name it.");
    }
    if (this.#keys.known === undefined) {
      throw new Refusal(
        "TARGET_UNAVAILABLE",
        "The token's issuer gives no usable signing keys right now: try again, or check its key address.",
        {
          retryAfterMs: this.#keys.times.pauseMs,
          cause: this.#keys.failure,
        },
      );
    }
    throw new Refusal("UNAUTHENTICATED", "The token's issuer publishes no key that this token names: sign in again.");
  }

  #candidates(algorithm: string, kid: string | undefined): PublishedKey[] {
    return (this.#keys.known ?? []).filter((key) => key.algorithm === algorithm && (kid === undefined || key.kid === kid));
  }
}
