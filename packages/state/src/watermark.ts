import { unavailable } from "./unavailable.ts";

/** What one client has seen of the generation in use; the state may not be behind it. */
export class Watermark {
  #generation: string | undefined;
  #tick = 0;

  use(generation: string, tick = 0): void {
    if (generation === "") throw unavailable("not-in-use");
    this.#tick = generation === this.#generation ? Math.max(this.#tick, tick) : tick;
    this.#generation = generation;
  }

  get generation(): string {
    if (this.#generation === undefined) throw unavailable("not-in-use");
    return this.#generation;
  }

  get tick(): number {
    return this.#tick;
  }

  /** Calls may come back in another order than the state served them, so only the highest tick counts. */
  saw(generation: string, tick: number): void {
    if (generation === this.#generation && tick > this.#tick) this.#tick = tick;
  }
}
