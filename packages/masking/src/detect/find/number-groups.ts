import type { Form, NumberDetector } from "../detectors/numbers.ts";
import { beginsNumber, endsNumber, isDigit, MORE, NONE, type Text, word } from "./text.ts";

const maxGroups = 7;
/** So far back a word that tells what a number is may stand, in bytes. */
const nearBytes = 40;

/** Looks for numbers that are written in groups. */
export class NumberGroups {
  readonly #detectors: readonly NumberDetector[];
  readonly #firsts = new Uint8Array(64);
  readonly #near: boolean;
  #ends: number[] = [];
  category = "";
  digits = "";

  /** @param near whether a form that says too little needs a word beside it */
  constructor(detectors: readonly NumberDetector[], near: boolean) {
    this.#detectors = detectors;
    this.#near = near;
    for (const { forms } of detectors) for (const { groups } of forms) this.#firsts[groups[0]!] = 1;
  }

  /** @param groupEnd where the first group, of digits only, ends. @returns the number's end, of the longest one */
  match(text: Text, at: number, groupEnd: number): number {
    if (this.#firsts[groupEnd - at] !== 1 || !beginsNumber(text, at)) return NONE;
    if (!this.#readGroups(text, at, groupEnd)) return MORE;
    let longest = NONE;
    for (const { category, forms, check } of this.#detectors)
      for (const form of forms) {
        const count = form.groups.length;
        const formEnd = this.#ends[count - 1];
        if (formEnd === undefined || formEnd <= longest || !this.#isForm(text, at, form)) continue;
        const numberEnd = endsNumber(text, formEnd);
        if (numberEnd === NONE) continue;
        const digits = text.bytes.toString("latin1", at, formEnd).replaceAll(/\D/g, "");
        if (!check(digits) || !this.#isNear(text, at, form)) continue;
        if (numberEnd === MORE) return MORE;
        longest = formEnd;
        this.category = category;
        this.digits = digits;
      }
    return longest;
  }

  /** Ends of the groups that stand here, one byte between them. @returns whether what follows makes no difference */
  #readGroups({ bytes, end, final }: Text, at: number, groupEnd: number): boolean {
    this.#ends = [groupEnd];
    for (let next = groupEnd; this.#ends.length < maxGroups; ) {
      if (next >= end) return final;
      const separator = bytes[next]!;
      if (separator !== 32 && separator !== 45 && separator !== 46) return true;
      let digit = next + 1;
      while (digit < end && digit - next < 21 && isDigit(bytes[digit])) digit++;
      if (digit >= end && !final) return false;
      if (digit === next + 1 || (digit < end && word[bytes[digit]!] === 1)) return true;
      this.#ends.push(digit);
      next = digit;
    }
    return true;
  }

  #isForm({ bytes }: Text, at: number, { groups, between }: Form): boolean {
    let start = at;
    for (let each = 0; each < groups.length; each++) {
      const groupEnd = this.#ends[each]!;
      if (groupEnd - start !== groups[each]) return false;
      if (each > 0) {
        const separator = String.fromCharCode(bytes[start - 1]!);
        const first = String.fromCharCode(bytes[this.#ends[0]!]!);
        if (typeof between === "string" ? !between.includes(separator) || separator !== first : between[each - 1] !== separator)
          return false;
      }
      start = groupEnd + 1;
    }
    return true;
  }

  #isNear({ bytes }: Text, at: number, { near }: Form): boolean {
    if (near === undefined || !this.#near) return true;
    // What stands before another long number speaks of that one.
    const before = bytes.toString("latin1", Math.max(0, at - nearBytes), at).replace(/^.*\d{5}\D/s, "");
    return near.test(before.toLowerCase().replaceAll("_", " "));
  }
}
