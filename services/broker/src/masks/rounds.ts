interface Asked<T> {
  /** The round that is under way. */
  running: Promise<T>;
  /** The one after it, for everybody who has asked since it began. */
  next: Promise<T> | undefined;
}

/**
 * Shares an answer among those who ask for it at the same time. Nobody gets one that was begun before they asked: who comes while
 * a round is under way gets the next, so that an answer is as fresh as one's own would be.
 */
export class Rounds<T> {
  readonly #asked = new Map<string, Asked<T>>();

  /** @param run asked once a round, for all who wait for it; what it throws is thrown to all of them */
  ask(key: string, run: () => Promise<T>): Promise<T> {
    const asked = this.#asked.get(key);
    if (asked === undefined) return this.#begin(key, run);
    asked.next ??= asked.running.then(
      () => this.#begin(key, run),
      () => this.#begin(key, run),
    );
    return asked.next;
  }

  #begin(key: string, run: () => Promise<T>): Promise<T> {
    const running = run();
    const asked: Asked<T> = { running, next: undefined };
    this.#asked.set(key, asked);
    const over = () => {
      // Where somebody waits for the next round, that one takes this one's place.
      if (asked.next === undefined && this.#asked.get(key) === asked) this.#asked.delete(key);
    };
    running.then(over, over);
    return running;
  }
}
