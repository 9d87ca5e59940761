import type { Automaton } from "../automaton.ts";
import { nibbles } from "../letters.ts";
import { bitsOf, HEX, NONE } from "./kinds.ts";
import { UnitTrack } from "./unit-track.ts";

const MAX_SEPARATORS = 6;

/** Looks through stretches of hex, as `hex-reader.ts` reads them. */
export class HexScout {
  /** Where the stretch ended that was looked through last. */
  end = 0;
  #even: UnitTrack;
  #odd: UnitTrack;

  constructor(automaton: Automaton) {
    this.#even = new UnitTrack(automaton);
    this.#odd = new UnitTrack(automaton);
  }

  /** Looks through the stretch that `at` is in; where in it a value may begin, or `NONE`. */
  look(bytes: Uint8Array, from: number, at: number, to: number, open: boolean): number {
    const bits = bitsOf[0]!;
    let start = at;
    while (start > from && (bits[bytes[start - 1]!]! & HEX) !== 0) start--;
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
            [evenHalf, oddHalf] = [oddHalf, evenHalf];
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
        if (this.#even.add((evenHalf << 4) | digit, evenStart)) return this.#found(this.#even, bytes, index, to);
        evenHalf = -1;
      }
      if (digits > 0) {
        if (oddHalf < 0) {
          oddHalf = digit;
          oddStart = index;
        } else {
          if (this.#odd.add((oddHalf << 4) | digit, oddStart)) return this.#found(this.#odd, bytes, index, to);
          oddHalf = -1;
        }
      }
      digits++;
    }
    this.end = index;
    if (!open || index < to) return NONE;
    return Math.min(this.#even.start, this.#odd.start, evenHalf >= 0 ? evenStart : NONE, oddHalf >= 0 ? oddStart : NONE);
  }

  #found(track: UnitTrack, bytes: Uint8Array, index: number, to: number): number {
    const bits = bitsOf[0]!;
    let end = index;
    while (end < to && (bits[bytes[end]!]! & HEX) !== 0) end++;
    this.end = end;
    return track.start;
  }
}
