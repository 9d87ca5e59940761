import { Refusal } from "@sallyport/contracts";
import { Refreshed, type RefreshTimes } from "../refreshed.ts";
import type { IdpMetadata } from "./idp-metadata.ts";
import type { Certificates } from "./verify-response.ts";

/** As an OIDC issuer's keys, but people wait longer for a page than for a token. */
export const metadataTimes: RefreshTimes = { freshMs: 5 * 60_000, keepMs: 24 * 3_600_000, pauseMs: 5_000 };

/**
 * One identity provider's metadata. They are read again once they are no longer fresh, and after a signature that matched none of
 * their certificates, within the bounds of {@link Refreshed}, whatever is posted here.
 */
export class KnownIdp implements Certificates {
  readonly #metadata: Refreshed<IdpMetadata>;

  /**
   * @param load bounded in time by itself
   * @param now monotonic milliseconds
   */
  constructor(load: () => Promise<IdpMetadata>, now: () => number, times: RefreshTimes = metadataTimes) {
    this.#metadata = new Refreshed(load, now, times);
  }

  /** @throws Refusal TARGET_UNAVAILABLE */
  async metadata(): Promise<IdpMetadata> {
    await this.#metadata.whenStale();
    const { known, failure: cause, times } = this.#metadata;
    if (known !== undefined) return known;
    throw new Refusal(
      "TARGET_UNAVAILABLE",
      "The identity provider's metadata cannot be had right now: try again, or have their address or file checked.",
      { retryAfterMs: times.pauseMs, cause },
    );
  }

  async current(): Promise<readonly string[]> {
    return (await this.metadata()).certificates;
  }

  async again(): Promise<readonly string[] | undefined> {
    const before = this.#metadata.known;
    await this.#metadata.ask();
    const { known } = this.#metadata;
    return known === before ? undefined : known?.certificates;
  }
}
