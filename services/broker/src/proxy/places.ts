import { Refusal } from "@sallyport/contracts";
import type { Caller } from "@sallyport/service";

/** Requests and tunnels that one tree of agents has open here at once, at most. */
const maxPerTree = 2000;

/** How much of the proxy each tree of agents takes up, so that none takes all of it. */
export class Places {
  readonly #taken = new Map<string, number>();
  readonly #max: number;

  constructor(max = maxPerTree) {
    this.#max = max;
  }

  /** @throws Refusal RATE_LIMITED. @returns to be disposed of at the end */
  take({ rootSid }: Pick<Caller, "rootSid">): Disposable {
    const taken = this.#taken.get(rootSid) ?? 0;
    if (taken >= this.#max)
      throw new Refusal("RATE_LIMITED", `This tree of agents has ${this.#max} requests open at the proxy; let some of them end.`, {
        retryAfterMs: 1000,
        metadata: { effect: "none" },
      });
    this.#taken.set(rootSid, taken + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#taken.get(rootSid) ?? 1) - 1;
        if (left > 0) this.#taken.set(rootSid, left);
        else this.#taken.delete(rootSid);
      },
    };
  }
}
