import type { Automaton } from "../automaton.ts";
import { BACKSPACE, isSkipped } from "../letters.ts";
import { NONE } from "./kinds.ts";

/** Letters in a row of a value after which a layer is asked. */
const ENOUGH = 5;

/** Bytes that are written one by one, each over a stretch of its own: whether a value may have begun among them. */
export class UnitTrack {
  readonly #automaton: Automaton;
  readonly #starts = new Float64Array(8);
  #count = 0;
  #state = 0;
  #previous = 0;
  /** What a backspace may have gone back to. */
  #back = 0;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
  }

  /** Takes a byte that is written from `start` on; true when enough letters of a value stand in a row. */
  add(byte: number, start: number): boolean {
    if (isSkipped(byte)) return false;
    const automaton = this.#automaton;
    if (byte === BACKSPACE) {
      if (this.#back !== 0 && this.#previous !== 0) return true;
      if (this.#back === 0) this.#back = this.#previous;
      return this.#back !== 0 && automaton.depth(this.#back) >= ENOUGH;
    }
    const letter = automaton.classOf[byte]!;
    this.#starts[this.#count++ & 7] = start;
    if (this.#state === 0 && this.#back === 0) {
      this.#previous = 0;
      if (automaton.firstBytes[byte] === 1) this.#state = automaton.step(0, letter);
      return false;
    }
    this.#previous = this.#state;
    this.#state = automaton.step(this.#state, letter);
    if (this.#back !== 0) this.#back = automaton.step(this.#back, letter);
    return automaton.depth(this.#state) >= ENOUGH || automaton.depth(this.#back) >= ENOUGH;
  }

  /** Where what may be a value's beginning begins, or up to a few letters before; `NONE` where there is none. */
  get start(): number {
    const depth = Math.max(this.#automaton.depth(this.#state), this.#automaton.depth(this.#back), this.#automaton.depth(this.#previous));
    if (depth === 0) return NONE;
    return this.#starts[(this.#count - Math.min(8, depth + 1, this.#count)) & 7]!;
  }

  clear(): void {
    this.#count = 0;
    this.#state = 0;
    this.#previous = 0;
    this.#back = 0;
  }
}
