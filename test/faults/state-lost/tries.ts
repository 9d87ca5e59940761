import { setTimeout as sleep } from "node:timers/promises";

/** What must never succeed, tried again and again. */
export class Tries {
  readonly outcomes = new Map<string, { outcome: string; at: number }[]>();
  readonly #running: Promise<void>[] = [];
  #over = false;

  /** @param attempt resolves with a refusal's reason, or `done` where it succeeded */
  keep(what: string, attempt: () => Promise<string>): void {
    const seen: { outcome: string; at: number }[] = [];
    this.outcomes.set(what, seen);
    const run = async () => {
      while (!this.#over) {
        const outcome = await attempt();
        seen.push({ outcome, at: Date.now() });
        await sleep(60);
      }
    };
    this.#running.push(run());
  }

  /**
   * Ends them.
   * @param since when the state was there again, epoch milliseconds
   * @returns those that succeeded, those that were refused for a reason which is none of these, and those that have not met the state since
   */
  async end(expected: ReadonlySet<string>, since: number): Promise<string[]> {
    this.#over = true;
    await Promise.all(this.#running);
    return [...this.outcomes].flatMap(([what, seen]) => [
      ...seen.filter(({ outcome }) => !expected.has(outcome)).map(({ outcome }) => `${what}: ${outcome}`),
      ...(seen.some(({ outcome, at }) => at > since && outcome !== "STATE_UNAVAILABLE") ? [] : [`${what}: not tried since`]),
    ]);
  }
}
