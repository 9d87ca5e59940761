import { setTimeout as sleep } from "node:timers/promises";

/** What must never succeed, tried again and again. */
export class Tries {
  readonly outcomes = new Map<string, Map<string, number>>();
  readonly #running: Promise<void>[] = [];
  #over = false;

  /** @param attempt resolves with a refusal's reason, or `done` where it succeeded */
  keep(what: string, attempt: () => Promise<string>): void {
    const seen = new Map<string, number>();
    this.outcomes.set(what, seen);
    const run = async () => {
      while (!this.#over) {
        const outcome = await attempt();
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        await sleep(60);
      }
    };
    this.#running.push(run());
  }

  /** Ends them. @returns those that succeeded, and those that were refused for a reason which is none of these */
  async end(expected: ReadonlySet<string>): Promise<string[]> {
    this.#over = true;
    await Promise.all(this.#running);
    return [...this.outcomes].flatMap(([what, seen]) =>
      [...seen].filter(([outcome]) => !expected.has(outcome)).map(([outcome, times]) => `${what}: ${outcome} ${times} times`),
    );
  }
}
