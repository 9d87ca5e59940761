export interface RefreshTimes {
  /** Milliseconds after which it is asked for again before it is used: how long what was withdrawn can still work. */
  readonly freshMs: number;
  /** Milliseconds that the last good answer still serves while there is no other. */
  readonly keepMs: number;
  /** Least milliseconds between two questions, whatever arrives here: how long what is new can take to work. */
  readonly pauseMs: number;
}

/**
 * What somebody else publishes and changes, such as an issuer's keys. Only one question runs at a time and never more than one in
 * `pauseMs`, so that whatever strangers send here costs the other side nothing. One that fails changes nothing: the last good answer
 * serves until `keepMs` after it was asked for. One that succeeds replaces it all, so what was withdrawn stops working.
 */
export class Refreshed<T> {
  readonly #load: () => Promise<T>;
  readonly #now: () => number;
  readonly times: RefreshTimes;
  #known: T | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #failure: unknown;
  #asking: Promise<void> | undefined;

  /**
   * @param load bounded in time by itself
   * @param now monotonic milliseconds
   */
  constructor(load: () => Promise<T>, now: () => number, times: RefreshTimes) {
    this.#load = load;
    this.#now = now;
    this.times = times;
  }

  /** Undefined where nothing was had, or not for `keepMs`. */
  get known(): T | undefined {
    return this.#age() <= this.times.keepMs ? this.#known : undefined;
  }

  /** Why the last question came to nothing; undefined where it did not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Asks where what is known is no longer fresh. Never throws. */
  async whenStale(): Promise<void> {
    if (this.#age() > this.times.freshMs) await this.ask();
  }

  /** Asks, unless that was done within `pauseMs`. Never throws. */
  ask(): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const now = this.#now();
    if (now - this.#askedAt < this.times.pauseMs) return Promise.resolve();
    this.#askedAt = now;
    this.#asking = this.#answer(now).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  #age(): number {
    return this.#now() - this.#loadedAt;
  }

  async #answer(askedAt: number): Promise<void> {
    try {
      this.#known = await this.#load();
      this.#loadedAt = askedAt;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    }
  }
}
