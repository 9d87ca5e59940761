/** Work on one thing after another, on different things at once. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async take<T>(what: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(what) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(what, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(what) === mine) this.#last.delete(what);
    }
  }
}
