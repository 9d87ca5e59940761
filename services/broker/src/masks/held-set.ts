import type { MaskSet } from "@sallyport/masking";

/**
 * A mask set that several answers may be using. It is erased once it was retired (replaced, or its tree ended) and the last
 * of them is done, so that no value outlives its use and no stream loses its mask in the middle.
 */
export class HeldSet {
  readonly set: MaskSet;
  /** The same without account names: what an agent may not send. */
  readonly secrets: MaskSet;
  #users = 0;
  #retired = false;

  constructor(set: MaskSet, secrets: MaskSet = set) {
    this.set = set;
    this.secrets = secrets;
  }

  /** The set for one use; dispose of it when the answer has ended. */
  hold(): UsedSet {
    this.#users++;
    let released = false;
    return {
      set: this.set,
      secrets: this.secrets,
      [Symbol.dispose]: () => {
        if (released) return;
        released = true;
        this.#users--;
        this.#eraseIfDone();
      },
    };
  }

  retire(): void {
    this.#retired = true;
    this.#eraseIfDone();
  }

  #eraseIfDone(): void {
    if (this.#retired && this.#users === 0) for (const set of new Set([this.set, this.secrets])) set.erase();
  }
}

export interface UsedSet extends Disposable {
  readonly set: MaskSet;
  readonly secrets: MaskSet;
}
