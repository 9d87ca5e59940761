import { Refusal } from "@sallyport/contracts";
import type { Caller } from "@sallyport/service";

/** What one tree of agents, and all of them, have of the proxy at once, at most. */
export interface PlaceBounds {
  /** Requests and tunnels of one tree. */
  readonly open: number;
  /** Bytes of bodies of one tree's requests that are kept until their use is over: what is judged whole is kept whole. */
  readonly bytes: number;
  /** The same for all trees. */
  readonly allBytes: number;
}

const mebibyte = 1024 * 1024;
const bounds: PlaceBounds = { open: 2000, bytes: 64 * mebibyte, allBytes: 512 * mebibyte };

/** One request's or tunnel's part of the proxy, to be disposed of at its end. */
export interface Place extends Disposable {
  /** Bytes of its body that are kept from now on. @throws Refusal RATE_LIMITED */
  keep(bytes: number): void;
  /** Of those, bytes that have gone on. The end lets go of all others. */
  letGo(bytes: number): void;
}

/** How much of the proxy each tree of agents takes up, so that none takes all of it. */
export class Places {
  readonly #taken = new Map<string, { open: number; bytes: number }>();
  readonly #bounds: PlaceBounds;
  #allBytes = 0;

  constructor(of: Partial<PlaceBounds> = {}) {
    this.#bounds = { ...bounds, ...of };
  }

  /** @throws Refusal RATE_LIMITED */
  take({ rootSid }: Pick<Caller, "rootSid">): Place {
    const tree = this.#taken.get(rootSid) ?? { open: 0, bytes: 0 };
    if (tree.open >= this.#bounds.open)
      throw limited(`This tree of agents has ${this.#bounds.open} requests open at the proxy; let some of them end.`);
    tree.open++;
    this.#taken.set(rootSid, tree);
    let kept = 0;
    const count = (bytes: number) => {
      kept += bytes;
      tree.bytes += bytes;
      this.#allBytes += bytes;
    };
    return {
      keep: (bytes) => {
        if (tree.bytes + bytes > this.#bounds.bytes || this.#allBytes + bytes > this.#bounds.allBytes)
          throw limited("Bodies of requests that are open at the proxy fill all the room that there is for them; send fewer at once.");
        count(bytes);
      },
      letGo: (bytes) => count(-Math.min(bytes, kept)),
      [Symbol.dispose]: () => {
        count(-kept);
        tree.open--;
        if (tree.open === 0) this.#taken.delete(rootSid);
      },
    };
  }
}

const limited = (sentence: string) => new Refusal("RATE_LIMITED", sentence, { retryAfterMs: 1000, metadata: { effect: "none" } });
