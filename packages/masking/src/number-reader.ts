/**
 * JSON numbers in the input that are a value of digits only (`90210042117733`, `9.0210042117733e13`) or hold one among their digits: they
 * become strings, so that the JSON stays valid. JSON is what stands in a `{…}` or `[…]` that begins a line, or follows `data:` there.
 */
import type { Search } from "./search.ts";

/** Longer numbers are left alone (the digits of a value in them are masked all the same). */
const LONGEST_NUMBER = 512;
/** The shortest value that is looked for by its number rather than its digits. */
const MIN_DIGITS = 8;

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isNumeric = (byte: number): boolean =>
  isDigit(byte) || byte === 0x2b || byte === 0x2d || byte === 0x2e || byte === 0x45 || byte === 0x65;
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

export class NumberReader {
  readonly #search: Pick<Search, "found">;
  readonly #values: ReadonlyMap<string, number>;
  /** By the number that they are: the values, without leading zeros. */
  readonly #numbers = new Map<string, number>();
  #nested = 0;
  #string = false;
  #escaped = false;
  /** What of the line before a bracket may be there for it to begin JSON; `undefined` once something else was. */
  #line: string | undefined = "";
  /** A value may begin here: the last byte that is no space was `:`, `,` or `[`. */
  #valueNext = false;
  #number = "";
  #start = -1;

  constructor(search: Pick<Search, "found">, values: ReadonlyMap<string, number>) {
    this.#search = search;
    this.#values = values;
    for (const [digits, entry] of values) {
      const number = digits.replace(/^0+/u, "");
      if (number.length >= MIN_DIGITS && !this.#numbers.has(number)) this.#numbers.set(number, entry);
    }
  }

  read(bytes: Uint8Array, from: number, to: number, base: number): void {
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      if (this.#string) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === 0x5c) this.#escaped = true;
        else if (byte === 0x22) this.#string = false;
        continue;
      }
      if (this.#start >= 0) {
        if (isNumeric(byte) && this.#number.length < LONGEST_NUMBER) {
          this.#number += String.fromCharCode(byte);
          continue;
        }
        if (isSpace(byte) || byte === 0x2c || byte === 0x5d || byte === 0x7d) this.#end(base + at);
        this.#start = -1;
      }
      if (this.#nested === 0) this.#readOutside(byte);
      else this.#readInside(byte, base + at);
    }
  }

  /** Position of a number under way; Infinity without one. */
  partial(): number {
    return this.#start < 0 ? Number.POSITIVE_INFINITY : this.#start;
  }

  finish(): void {
    this.#nested = 0;
    this.#string = false;
    this.#escaped = false;
    this.#line = "";
    this.#valueNext = false;
    this.#start = -1;
  }

  #readOutside(byte: number): void {
    if (byte === 0x0a || byte === 0x0d) this.#line = "";
    else if ((byte === 0x7b || byte === 0x5b) && (this.#line === "" || this.#line === "data:")) {
      this.#nested = 1;
      this.#valueNext = byte === 0x5b;
    } else if (!isSpace(byte) && this.#line !== undefined) {
      this.#line += String.fromCharCode(byte);
      if (!"data:".startsWith(this.#line)) this.#line = undefined;
    }
  }

  #readInside(byte: number, position: number): void {
    if (isSpace(byte)) return;
    if (this.#valueNext && (isDigit(byte) || byte === 0x2d)) {
      this.#start = position;
      this.#number = String.fromCharCode(byte);
    }
    if (byte === 0x22) this.#string = true;
    if (byte === 0x7b || byte === 0x5b) this.#nested++;
    if (byte === 0x7d || byte === 0x5d) this.#nested--;
    if (this.#nested === 0) this.#line = undefined;
    this.#valueNext = byte === 0x3a || byte === 0x2c || byte === 0x5b;
  }

  #end(end: number): void {
    const text = this.#number;
    const entry = this.#numbers.get(integerOf(text) ?? "");
    const found = { start: this.#start, end, sharedEnd: this.#start };
    if (entry !== undefined) {
      this.#search.found({ ...found, entry, form: { kind: "number" } });
      return;
    }
    for (const [digits, among] of this.#values) {
      const at = text.indexOf(digits);
      if (at < 0) continue;
      const form = { kind: "number", before: text.slice(0, at), after: text.slice(at + digits.length) } as const;
      this.#search.found({ ...found, entry: among, form });
      return;
    }
  }
}

/** The digits of a JSON number that is a whole number, sign left out; `undefined` for one that is not, or is longer than `LONGEST_NUMBER`. */
function integerOf(text: string): string | undefined {
  const parts = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/u.exec(text);
  if (parts === null) return undefined;
  const [, whole = "", fraction = "", exponent = "0"] = parts;
  const shift = Number(exponent) - fraction.length;
  const digits = (whole + fraction).replace(/^0+/u, "");
  if (shift >= 0) return digits.length + shift > LONGEST_NUMBER ? undefined : digits + "0".repeat(shift);
  return /^0*$/u.test(digits.slice(shift)) ? digits.slice(0, shift) : undefined;
}
