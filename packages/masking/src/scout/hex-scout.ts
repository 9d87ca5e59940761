import type { Automaton } from "../automaton.ts";
import { nibbles } from "../letters.ts";
import type { Grams } from "./grams.ts";
import { bitsOf, HEX, NONE } from "./kinds.ts";
import { runEnd, runStart } from "./run.ts";
import { UnitTrack } from "./unit-track.ts";

const MAX_SEPARATORS = 6;
/** A run is looked through in pieces of so many bytes, which overlap. */
const PIECE_BYTES = 4096;
const OVERLAP_BYTES = 256;

/** Looks through stretches of hex, as `hex-reader.ts` reads them. */
export class HexScout {
  /** Where the run ended that was looked through last. */
  end = 0;
  readonly #shortestRun: number;
  #even: UnitTrack;
  #odd: UnitTrack;

  constructor(automaton: Automaton, grams: Grams) {
    this.#shortestRun = Math.max(14, 2 * grams.shortest - 2);
    this.#even = new UnitTrack(automaton);
    this.#odd = new UnitTrack(automaton);
  }

  /** Looks through the run that `at` is in; where in it a value may begin, or `NONE`. */
  look(bytes: Uint8Array, from: number, at: number, end: number, goesOn: boolean): number {
    const start = runStart(bytes, at, from, HEX);
    const enough = start + this.#shortestRun;
    const short = runEnd(bytes, at, Math.min(end, enough), HEX);
    if (short < enough && (short < end || !goesOn)) {
      this.end = short;
      return NONE;
    }
    const cut = end - at > PIECE_BYTES;
    const to = cut ? at + PIECE_BYTES : end;
    const found = this.#lookThrough(bytes, start, to);
    if (found !== NONE) return found;
    if (cut && this.end === to) this.end = to - OVERLAP_BYTES;
    return this.end === end && goesOn ? Math.min(this.#even.start, this.#odd.start, this.#half) : NONE;
  }

  /** Where a digit stands at the end whose second is still to come. */
  #half = NONE;

  #lookThrough(bytes: Uint8Array, start: number, to: number): number {
    const bits = bitsOf[0]!;
    this.#even.clear();
    this.#odd.clear();
    let evenHalf = -1;
    let oddHalf = -1;
    let evenStart = 0;
    let oddStart = 0;
    let digits = 0;
    let separators = 0;
    let index = start;
    for (; index < to; index++) {
      const byte = bytes[index]!;
      const digit = nibbles[byte]!;
      if (digit < 0) {
        if ((bits[byte]! & HEX) === 0) break;
        if ((byte === 0x78 || byte === 0x58) && evenHalf === 0) evenHalf = -1;
        if (digits > 0) {
          if (evenHalf >= 0) {
            [this.#even, this.#odd] = [this.#odd, this.#even];
            evenHalf = oddHalf;
            evenStart = oddStart;
          }
          oddHalf = -1;
          this.#odd.clear();
        }
        digits = 0;
        if (++separators > MAX_SEPARATORS) {
          evenHalf = -1;
          this.#even.clear();
        }
        continue;
      }
      separators = 0;
      if (evenHalf < 0) {
        evenHalf = digit;
        evenStart = index;
      } else {
        if (this.#even.add((evenHalf << 4) | digit, evenStart)) return this.#found(this.#even, index);
        evenHalf = -1;
      }
      if (digits > 0) {
        if (oddHalf < 0) {
          oddHalf = digit;
          oddStart = index;
        } else {
          if (this.#odd.add((oddHalf << 4) | digit, oddStart)) return this.#found(this.#odd, index);
          oddHalf = -1;
        }
      }
      digits++;
    }
    this.end = index;
    this.#half = Math.min(evenHalf >= 0 ? evenStart : NONE, oddHalf >= 0 ? oddStart : NONE);
    return NONE;
  }

  #found(track: UnitTrack, index: number): number {
    this.end = index;
    return track.start;
  }
}
