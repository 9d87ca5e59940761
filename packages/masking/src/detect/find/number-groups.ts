import type { Form, NumberDetector } from "../detectors/numbers.ts";
import { beginsNumber, endsNumber, isDigit, MORE, NONE, type Text, word } from "./text.ts";

/** So far back a word that tells what a number is may stand, in bytes. */
const nearBytes = 40;

interface Way extends Form {
  readonly detector: NumberDetector;
}

/** Looks for numbers that are written in groups. */
export class NumberGroups {
  /** By the length of the first group: the ways to write a number that begin so, and the most groups that one of them has. */
  readonly #ways: readonly Way[][] = Array.from({ length: 64 }, () => []);
  readonly #groups = new Uint8Array(64);
  readonly #near: boolean;
  readonly #ends = new Int32Array(16);
  #count = 0;
  category = "";
  digits = "";

  /** @param near whether a form that says too little needs a word beside it */
  constructor(detectors: readonly NumberDetector[], near: boolean) {
    this.#near = near;
    for (const detector of detectors)
      for (const form of detector.forms) {
        const first = form.groups[0]!;
        this.#ways[first]!.push({ ...form, detector });
        this.#groups[first] = Math.max(this.#groups[first]!, form.groups.length);
      }
  }

  /** @param groupEnd where the first group, of digits only, ends. @returns the number's end, of the longest one */
  match(text: Text, at: number, groupEnd: number): number {
    const first = groupEnd - at;
    const most = this.#groups[first]!;
    if (most === 0 || !beginsNumber(text, at)) return NONE;
    if (!this.#readGroups(text, groupEnd, most)) return MORE;
    let longest = NONE;
    for (const way of this.#ways[first]!) {
      const count = way.groups.length;
      if (count > this.#count) continue;
      const formEnd = this.#ends[count - 1]!;
      if (formEnd <= longest || !this.#isForm(text, at, way)) continue;
      const numberEnd = endsNumber(text, formEnd);
      if (numberEnd === NONE) continue;
      const written = text.bytes.toString("latin1", at, formEnd);
      const digits = count === 1 ? written : written.replaceAll(/\D/g, "");
      if (!way.detector.check(digits) || !this.#isNear(text, at, way)) continue;
      if (numberEnd === MORE) return MORE;
      longest = formEnd;
      this.category = way.detector.category;
      this.digits = digits;
    }
    return longest;
  }

  /** Ends of the groups that stand here, one byte between them. @returns whether what follows makes no difference */
  #readGroups({ bytes, end, final }: Text, groupEnd: number, most: number): boolean {
    const ends = this.#ends;
    ends[0] = groupEnd;
    this.#count = 1;
    for (let next = groupEnd; this.#count < most; ) {
      if (next >= end) return final;
      const separator = bytes[next]!;
      if (separator !== 32 && separator !== 45 && separator !== 46) return true;
      let digit = next + 1;
      while (digit < end && digit - next < 21 && isDigit(bytes[digit])) digit++;
      if (digit >= end && !final) return false;
      if (digit === next + 1 || (digit < end && word[bytes[digit]!] === 1)) return true;
      ends[this.#count++] = digit;
      next = digit;
    }
    return true;
  }

  #isForm({ bytes }: Text, at: number, { groups, between }: Form): boolean {
    const ends = this.#ends;
    const first = bytes[ends[0]!]!;
    for (let each = 1; each < groups.length; each++) {
      if (ends[each]! - ends[each - 1]! - 1 !== groups[each]) return false;
      const separator = bytes[ends[each - 1]!]!;
      if (typeof between !== "string") {
        if (between[each - 1]!.charCodeAt(0) !== separator) return false;
      } else if (separator !== first || !between.includes(String.fromCharCode(separator))) return false;
    }
    return ends[0]! - at === groups[0];
  }

  #isNear({ bytes }: Text, at: number, { near }: Form): boolean {
    if (near === undefined || !this.#near) return true;
    let from = at;
    // What stands before another long number speaks of that one.
    for (let digits = 0; from > 0 && at - from < nearBytes && digits < 5; from--) digits = isDigit(bytes[from - 1]) ? digits + 1 : 0;
    return near.test(bytes.toString("latin1", from, at).toLowerCase().replaceAll("_", " "));
  }
}
