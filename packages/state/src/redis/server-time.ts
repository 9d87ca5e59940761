/**
 * Guesses the server's clock from its answers, so that a call can carry the server's time after which it must not run any
 * more: a Redis that was frozen reads what we sent before, long after we gave up.
 */
export class ServerTime {
  #offset: number | undefined;

  /** The server said `serverMs` at some moment between two readings of our monotonic clock. */
  heard(serverMs: number, sent: number, received: number): void {
    const least = serverMs - received;
    const most = serverMs - sent + 1;
    this.#offset = Math.min(Math.max(this.#offset ?? most, least), most);
  }

  /** Server milliseconds at a moment of our monotonic clock. */
  at(monotonic: number): number {
    return Math.ceil(monotonic + (this.#offset ?? Number.POSITIVE_INFINITY));
  }
}
