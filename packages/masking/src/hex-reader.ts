/**
 * Finds stretches of hex digits in a layer (`5a71`, `5A:71`, `0x5a 0x71`) and reads what they decode to. In a group of digits pairs may
 * begin at the first digit or at the second, so two read along: `even`, whose pairs begin with the group and which goes on over
 * separators, and `odd`, which begins afresh at each group's second digit. At a separator the one that has a pair half read is done.
 */
import { DecodedUnits } from "./decoded-units.ts";
import { nibbles } from "./letters.ts";
import type { Origin, Search } from "./search.ts";
import { CONTEXT_BYTES, nextToRead } from "./stretches.ts";

const MIN_BYTES = 16;
/** More separators than this in a row end a stretch. */
export const MAX_SEPARATORS = 6;

const OUTSIDE = 0;
const DIGIT = 1;
const SEPARATOR = 2;
/** 0 for what stands in no stretch. */
export const hexKinds = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) if (nibbles[byte]! >= 0) hexKinds[byte] = DIGIT;
for (const byte of " :-,;.xX\t\r\n\0") hexKinds[byte.charCodeAt(0)] = SEPARATOR;

export class HexReader {
  readonly #search: Search;
  readonly #depth: number;
  readonly #origin: Origin;
  /** Made when there is something to read: most streams have nothing of the kind. */
  #pairs: { even: Pairs; odd: Pairs } | undefined;
  #open = false;
  #digits = 0;
  #separators = 0;

  constructor(search: Search, depth: number, origin: Origin) {
    this.#search = search;
    this.#depth = depth;
    this.#origin = origin;
  }

  read(bytes: Uint8Array, from: number, to: number, base: number): void {
    let at = from;
    while (at < to) {
      if (!this.#open) at = nextToRead(bytes, at, to, hexKinds, MIN_BYTES, this.#search.scouts?.hex(this.#depth), CONTEXT_BYTES);
      if (at === to) return;
      this.#open = true;
      this.#pairs ??= { even: this.#begin(), odd: this.#begin() };
      at = this.#readStretch(this.#pairs, bytes, at, to, base);
      if (at < to) this.finish();
    }
    if (this.#open) {
      this.#pairs?.even.units.pause();
      this.#pairs?.odd.units.pause();
    }
  }

  partial(): number {
    const pairs = this.#open ? this.#pairs : undefined;
    return pairs === undefined ? Number.POSITIVE_INFINITY : Math.min(pairs.even.partial(), pairs.odd.partial());
  }

  finish(): void {
    if (!this.#open) return;
    this.#pairs?.even.finish();
    this.#pairs?.odd.finish();
    this.#open = false;
    this.#digits = 0;
    this.#separators = 0;
  }

  #begin(): Pairs {
    return new Pairs(this.#search, this.#depth, this.#origin);
  }

  #readStretch(pairs: { even: Pairs; odd: Pairs }, bytes: Uint8Array, from: number, to: number, base: number): number {
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      const kind = hexKinds[byte];
      if (kind === OUTSIDE) return at;
      if (kind === DIGIT) {
        const digit = nibbles[byte]!;
        this.#separators = 0;
        pairs.even.digit(digit, base + at);
        if (this.#digits > 0) pairs.odd.digit(digit, base + at);
        this.#digits++;
        continue;
      }
      this.#separate(pairs, (byte === 0x78 || byte === 0x58) && pairs.even.half === 0);
    }
    return to;
  }

  /** `prefix`: the last digit and this byte are `0x`. */
  #separate(pairs: { even: Pairs; odd: Pairs }, prefix: boolean): void {
    if (prefix) pairs.even.half = -1;
    if (this.#digits > 0) {
      if (pairs.even.half >= 0) [pairs.even, pairs.odd] = [pairs.odd, pairs.even];
      pairs.odd.finish();
    }
    this.#digits = 0;
    if (++this.#separators > MAX_SEPARATORS) pairs.even.finish();
  }
}

class Pairs {
  readonly units: DecodedUnits;
  readonly #search: Search;
  /** The first digit of a pair whose second has not come; −1 without one. */
  half = -1;
  #halfIndex = 0;

  constructor(search: Search, depth: number, origin: Origin) {
    this.#search = search;
    this.units = new DecodedUnits(search, depth + 1, origin, (inner, gap, shown) => ({ kind: "hex", gap, shown, inner }));
  }

  digit(digit: number, index: number): void {
    if (this.half < 0) {
      this.half = digit;
      this.#halfIndex = index;
      return;
    }
    this.units.add((this.half << 4) | digit, this.#halfIndex, index);
    this.half = -1;
  }

  partial(): number {
    const { firstBytes, heldByBits } = this.#search;
    const first = this.units.partial();
    if (this.half < 0 || !heldByBits) return first;
    const may = firstBytes.subarray(this.half << 4, (this.half << 4) + 16).includes(1);
    return may ? Math.min(first, this.#halfIndex) : first;
  }

  finish(): void {
    this.units.finish();
    this.half = -1;
  }
}
