/**
 * Finds lists of small decimal numbers (`[90, 113, 55]`) and reads the bytes they are, and the digits where each is one digit of a
 * value that is a number: so a JSON array of a value's bytes or digits is masked too.
 */
import { DecodedUnits } from "./decoded-units.ts";
import type { Origin, Search } from "./search.ts";
import { nextToRead } from "./stretches.ts";

/** Eight one-digit numbers and what is between them. */
const MIN_BYTES = 15;
/** More separators than this in a row end a list. */
export const MAX_SEPARATORS = 6;

const DIGIT = 1;
const SEPARATOR = 2;
/** 0 for what stands in no stretch. */
export const decimalKinds = new Uint8Array(256);
for (const byte of "0123456789") decimalKinds[byte.charCodeAt(0)] = DIGIT;
for (const byte of ", \t\r\n;") decimalKinds[byte.charCodeAt(0)] = SEPARATOR;

export class DecimalReader {
  readonly #bytes: DecodedUnits;
  readonly #digits: DecodedUnits;
  readonly #search: Search;
  #open = false;
  #number = "";
  #start = 0;
  #separators = 0;
  /** The next byte may go on with a number that began before. */
  #inside = false;

  constructor(search: Search, origin: Origin) {
    this.#search = search;
    this.#bytes = new DecodedUnits(search, 2, origin, () => ({ kind: "number" }));
    this.#digits = new DecodedUnits(search, 2, origin, () => ({ kind: "number" }));
  }

  read(bytes: Uint8Array, from: number, to: number, base: number): void {
    let at = from;
    if (this.#inside) {
      while (at < to && decimalKinds[bytes[at]!] === DIGIT) at++;
      if (at < to) this.#inside = false;
    }
    while (at < to) {
      if (!this.#open) at = nextToRead(bytes, at, to, decimalKinds, MIN_BYTES, this.#search.scouts?.decimal(), 0);
      if (at === to) return;
      this.#open = true;
      at = this.#readStretch(bytes, at, to, base);
      if (at < to) this.finish();
    }
    if (this.#open) {
      this.#bytes.pause();
      this.#digits.pause();
    }
  }

  /** What is read next may be the rest of a number. */
  startInside(): void {
    this.#inside = true;
  }

  partial(): number {
    if (!this.#open) return Number.POSITIVE_INFINITY;
    const first = Math.min(this.#bytes.partial(), this.#digits.partial());
    return this.#search.heldByBits && beginningsOf(this.#search.firstBytes).has(this.#number) ? Math.min(first, this.#start) : first;
  }

  finish(): void {
    if (!this.#open) return;
    this.#endNumber();
    this.#bytes.finish();
    this.#digits.finish();
    this.#open = false;
    this.#separators = 0;
  }

  #readStretch(bytes: Uint8Array, from: number, to: number, base: number): number {
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      const kind = decimalKinds[byte];
      if (kind === DIGIT) {
        if (this.#number === "") this.#start = base + at;
        if (this.#number.length < 4) this.#number += String.fromCharCode(byte);
        this.#separators = 0;
      } else if (kind === SEPARATOR) {
        this.#endNumber();
        if (++this.#separators > MAX_SEPARATORS) {
          this.#bytes.finish();
          this.#digits.finish();
        }
      } else return at;
    }
    return to;
  }

  #endNumber(): void {
    const number = this.#number;
    if (number === "") return;
    this.#number = "";
    const end = this.#start + number.length - 1;
    const byte = number.length > 3 ? 256 : Number(number);
    if (byte < 256) this.#bytes.add(byte, this.#start, end);
    else this.#bytes.finish();
    if (number.length === 1) this.#digits.add(number.charCodeAt(0), this.#start, end);
    else this.#digits.finish();
  }
}

const known = new WeakMap<Uint8Array, ReadonlySet<string>>();

/** The first digits of the numbers that may begin a value, by which bytes may: the same for all streams of a mask set. */
function beginningsOf(firstBytes: Uint8Array): ReadonlySet<string> {
  const before = known.get(firstBytes);
  if (before !== undefined) return before;
  const beginnings = new Set<string>();
  firstBytes.forEach((may, byte) => {
    if (may === 0) return;
    for (let length = 1; length <= 3; length++) beginnings.add(String(byte).slice(0, length));
    if (byte >= 0x30 && byte <= 0x39) beginnings.add(String.fromCharCode(byte));
  });
  known.set(firstBytes, beginnings);
  return beginnings;
}
