import { MAX_SEPARATORS } from "../hex-reader.ts";
import { nibbles } from "../letters.ts";
import type { Grams } from "./grams.ts";
import { bitsOf, HEX, NONE } from "./kinds.ts";
import { runStart, shortRunEnd } from "./run.ts";

/** A run is looked through in pieces of so many bytes, which overlap by more than a value's beginning takes. */
const PIECE_BYTES = 4096;
const OVERLAP_BYTES = 512;
/** What stands so many bytes before decides how the first digits are read: the last letter of base64 may hold bits of a value's first. */
const CONTEXT_BYTES = 48;

/** The scout of what is inside. */
export interface InsideScout {
  next(bytes: Uint8Array, from: number, to: number, open: boolean): number;
}

/** Looks through stretches of hex, as `hex-reader.ts` reads them: decodes them, and has the scout of what is inside look at that. */
export class HexScout {
  /** Where the run ended that was looked through last. */
  end = 0;
  readonly #shortestRun: number;
  readonly #inside: InsideScout;
  readonly #bits: Uint8Array;
  #even = new Pairs();
  #odd = new Pairs();

  constructor(grams: Grams, depth: number, inside: InsideScout) {
    this.#shortestRun = Math.max(14, 2 * grams.shortest - 2);
    this.#inside = inside;
    this.#bits = bitsOf[depth]!;
  }

  /** Looks through the run that `at` is in; where in it a value may begin, or `NONE`. */
  look(bytes: Uint8Array, from: number, at: number, end: number, goesOn: boolean): number {
    const start = runStart(bytes, at, Math.max(0, from - CONTEXT_BYTES), HEX);
    const short = shortRunEnd(bytes, start, at, end, goesOn, this.#shortestRun, HEX);
    if (short !== NONE) {
      this.end = short;
      return NONE;
    }
    const cut = end - at > PIECE_BYTES;
    const to = cut ? at + PIECE_BYTES : end;
    const found = this.#lookThrough(bytes, start, to);
    // What the other pairs have begun may go on, and may have begun before.
    if (found !== NONE) return Math.min(found, this.#endOf(this.#even, true), this.#endOf(this.#odd, true));
    const open = this.end === end && goesOn;
    if (cut && this.end === to) this.end = to - OVERLAP_BYTES;
    return Math.min(this.#endOf(this.#even, open), this.#endOf(this.#odd, open));
  }

  erase(): void {
    for (const pairs of [this.#even, this.#odd]) pairs.bytes.fill(0);
  }

  #lookThrough(bytes: Uint8Array, start: number, to: number): number {
    const bits = this.#bits;
    this.#even.clear();
    this.#odd.clear();
    let digits = 0;
    let separators = 0;
    let found = NONE;
    let index = start;
    for (; index < to && found === NONE; index++) {
      const byte = bytes[index]!;
      const digit = nibbles[byte]!;
      if (digit >= 0) {
        separators = 0;
        this.#even.add(digit, index);
        if (digits > 0) this.#odd.add(digit, index);
        digits++;
        continue;
      }
      if ((bits[byte]! & HEX) === 0) break;
      if (digits === 0 && this.#even.half < 0 && this.#even.count === 0) continue;
      if ((byte === 0x78 || byte === 0x58) && this.#even.half === 0) this.#even.half = -1;
      if (digits > 0) {
        if (this.#even.half >= 0) [this.#even, this.#odd] = [this.#odd, this.#even];
        found = this.#endOf(this.#odd, false);
      }
      digits = 0;
      if (++separators > MAX_SEPARATORS) found = Math.min(found, this.#endOf(this.#even, false));
    }
    this.end = index;
    return found;
  }

  /** The pairs end here; `open`: more may follow that are not there yet. */
  #endOf(pairs: Pairs, open: boolean): number {
    const { count, starts, half, halfStart } = pairs;
    const at = count === 0 ? 0 : this.#inside.next(pairs.bytes, 0, count, open);
    const found = at < count ? starts[at]! : open && half >= 0 ? halfStart : NONE;
    pairs.clear();
    return found;
  }
}

/** Bytes that pairs of digits decode to, and where each is written. */
class Pairs {
  readonly bytes = new Uint8Array(PIECE_BYTES);
  readonly starts = new Int32Array(PIECE_BYTES);
  count = 0;
  /** The first digit of a pair whose second has not come; −1 without one. */
  half = -1;
  halfStart = 0;

  add(digit: number, index: number): void {
    if (this.half < 0) {
      this.half = digit;
      this.halfStart = index;
      return;
    }
    if (this.count === this.bytes.length) return;
    this.starts[this.count] = this.halfStart;
    this.bytes[this.count++] = (this.half << 4) | digit;
    this.half = -1;
  }

  clear(): void {
    this.count = 0;
    this.half = -1;
  }
}
