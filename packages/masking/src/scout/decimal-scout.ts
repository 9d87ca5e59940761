import type { Automaton } from "../automaton.ts";
import { MAX_SEPARATORS } from "../decimal-reader.ts";
import type { Grams } from "./grams.ts";
import { bitsOf, DECIMAL, NONE } from "./kinds.ts";
import { runStart, shortRunEnd } from "./run.ts";
import { UnitTrack } from "./unit-track.ts";

/** A run is looked through in pieces of so many bytes, which overlap. */
const PIECE_BYTES = 4096;
const OVERLAP_BYTES = 256;

/** Looks through lists of small numbers, as `decimal-reader.ts` reads them. */
export class DecimalScout {
  /** Where the list ended that was looked through last. */
  end = 0;
  readonly #shortestRun: number;
  readonly #bytes: UnitTrack;
  readonly #digits: UnitTrack;

  constructor(automaton: Automaton, grams: Grams) {
    this.#shortestRun = Math.max(13, 2 * grams.shortest - 3);
    this.#bytes = new UnitTrack(automaton);
    this.#digits = new UnitTrack(automaton);
  }

  /** Looks through the list that `at` is in; where in it a value may begin, or `NONE`. */
  look(bytes: Uint8Array, from: number, at: number, end: number, goesOn: boolean): number {
    const bits = bitsOf[0]!;
    const start = runStart(bytes, at, from, DECIMAL);
    const short = shortRunEnd(bytes, start, at, end, goesOn, this.#shortestRun, DECIMAL);
    if (short !== NONE) {
      this.end = short;
      return NONE;
    }
    const cut = end - at > PIECE_BYTES;
    const to = cut ? at + PIECE_BYTES : end;
    this.#bytes.clear();
    this.#digits.clear();
    let number = 0;
    let length = 0;
    let separators = 0;
    let found = NONE;
    let index = start;
    for (; index < to && found === NONE; index++) {
      const byte = bytes[index]!;
      if ((bits[byte]! & DECIMAL) === 0) break;
      if (byte >= 0x30 && byte <= 0x39) {
        number = length < 4 ? number * 10 + byte - 0x30 : number;
        length++;
        separators = 0;
        continue;
      }
      if (length > 0) found = this.#endNumber(number, length, index - length);
      number = 0;
      length = 0;
      if (++separators > MAX_SEPARATORS) {
        this.#bytes.clear();
        this.#digits.clear();
      }
    }
    if (length > 0 && found === NONE) found = this.#endNumber(number, length, index - length);
    this.end = cut && index === to ? to - OVERLAP_BYTES : index;
    if (found !== NONE || !goesOn || index < end) return found;
    return Math.min(this.#bytes.start, this.#digits.start, length > 0 ? index - length : NONE);
  }

  #endNumber(number: number, length: number, start: number): number {
    let found = false;
    if (length > 3 || number > 255) this.#bytes.clear();
    else found = this.#bytes.add(number, start);
    if (length > 1) this.#digits.clear();
    else found = this.#digits.add(number + 0x30, start) || found;
    // Of what else may have begun, it may have begun before.
    return found ? Math.min(this.#bytes.start, this.#digits.start) : NONE;
  }
}
