import { Refusal } from "@sallyport/contracts";
import type { KeyTimes } from "../issuer-keys.ts";
import type { IdpMetadata } from "./idp-metadata.ts";
import type { Certificates } from "./verify-response.ts";

/** As an OIDC issuer's keys, but people wait longer for a page than for a token. */
export const metadataTimes: KeyTimes = { freshMs: 5 * 60_000, keepMs: 24 * 3_600_000, pauseMs: 5_000 };

/**
 * One identity provider's metadata. They are read again once they are no longer fresh, and after a signature that matched none of
 * their certificates, but never twice within `pauseMs`, whatever is posted here. Metadata that cannot be had or used change nothing:
 * the last good ones serve for `keepMs`. New ones replace all there was, so that a certificate that was withdrawn is dropped.
 */
export class KnownIdp implements Certificates {
  readonly #load: () => Promise<IdpMetadata>;
  readonly #now: () => number;
  readonly #times: KeyTimes;
  #known: IdpMetadata | undefined;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #failure: unknown;
  #asking: Promise<void> | undefined;

  /**
   * @param load bounded in time by itself
   * @param now monotonic milliseconds
   */
  constructor(load: () => Promise<IdpMetadata>, now: () => number, times: KeyTimes = metadataTimes) {
    this.#load = load;
    this.#now = now;
    this.#times = times;
  }

  /** @throws Refusal TARGET_UNAVAILABLE */
  async metadata(): Promise<IdpMetadata> {
    if (this.#age() > this.#times.freshMs) await this.#ask();
    const known = this.#age() <= this.#times.keepMs ? this.#known : undefined;
    if (known !== undefined) return known;
    throw new Refusal(
      "TARGET_UNAVAILABLE",
      "The identity provider's metadata cannot be had right now: try again, or have their address or file checked.",
      {
        retryAfterMs: this.#times.pauseMs,
        cause: this.#failure,
      },
    );
  }

  async current(): Promise<readonly string[]> {
    return (await this.metadata()).certificates;
  }

  async again(): Promise<readonly string[] | undefined> {
    const before = this.#known;
    await this.#ask();
    return this.#known === before ? undefined : this.#known?.certificates;
  }

  #age(): number {
    return this.#now() - this.#loadedAt;
  }

  #ask(): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const now = this.#now();
    if (now - this.#askedAt < this.#times.pauseMs) return Promise.resolve();
    this.#askedAt = now;
    this.#asking = this.#read(now).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #read(askedAt: number): Promise<void> {
    try {
      this.#known = await this.#load();
      this.#loadedAt = askedAt;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    }
  }
}
