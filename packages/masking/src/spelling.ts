/**
 * A spelling: several bytes that stand for another byte or character (`%2f`, `\u002f`, `\x2f`, `\057`, `\/`, `&#x2f;`, `&sol;`), or for
 * nothing (a terminal escape sequence, a zero-width character). Read a byte at a time, in constant space.
 */
import { bareHtmlNames, htmlNames, LONGEST_HTML_NAME } from "./html-names.ts";
import { AMPERSAND, BACKSLASH, ESCAPE, isAlphanumeric, isSkipped, nibbles, PERCENT } from "./letters.ts";

/** What one more byte made of a spelling. */
export type Progress =
  /** Not complete yet. */
  | "more"
  /** Not a spelling after all. */
  | "none"
  /** Complete: stands for `bytes`. */
  | "bytes"
  /** Stands for `bytes`, which may be none, and the byte just read is not part of it. */
  | "bytes-before"
  /** Complete: stands for nothing. */
  | "nothing";

type Part =
  | "percent" | "percent-u" | "digit-2"
  | "backslash" | "hex" | "braced" | "octal" | "low-backslash" | "low-u" | "fold"
  | "ampersand" | "reference" | "decimal" | "hexadecimal" | "name"
  | "escape" | "intermediate" | "csi" | "string" | "string-end"
  | "c2" | "cd" | "e1" | "e1a0" | "e2" | "e280" | "e281" | "ef" | "efb8" | "efbb"; // biome-ignore format: a list

/** Bytes that a terminal escape sequence or a folded line's indentation may take up. More of them at once would be more threads at once (see `layer.ts`). */
const LONGEST_SEQUENCE = 64;

/** What a byte after a backslash stands for: itself, but for the letters of control characters. */
export const CONTROL_LETTERS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => byte);
for (const [letter, control] of Object.entries({ a: 7, b: 8, e: 27, f: 12, n: 10, r: 13, t: 9, v: 11 }))
  CONTROL_LETTERS[letter.charCodeAt(0)] = control;

const leads: ReadonlyMap<number, Part> = new Map<number, Part>([
  [PERCENT, "percent"],
  [BACKSLASH, "backslash"],
  [AMPERSAND, "ampersand"],
]);
const silentLeads: ReadonlyMap<number, Part> = new Map<number, Part>([
  [ESCAPE, "escape"],
  [0xc2, "c2"],
  [0xcd, "cd"],
  [0xe1, "e1"],
  [0xe2, "e2"],
  [0xef, "ef"],
]);

const isSpellingLead = new Uint8Array(256);
for (const byte of leads.keys()) isSpellingLead[byte] = 1;
for (const byte of silentLeads.keys()) isSpellingLead[byte] = 2;

/** 1 where the byte may begin a spelling of another byte, 2 where it may begin one of nothing, else 0. */
export const spellingLead = (byte: number): number => isSpellingLead[byte]!;

const single: readonly (readonly number[])[] = Array.from({ length: 256 }, (_, byte) => [byte]);

export class Spelling {
  /** Where it began, in the layer's bytes. */
  readonly start: number;
  readonly lead: number;
  #part: Part;
  #value = 0;
  #count = 0;
  #wanted = 0;
  #high = 0;
  #name = "";
  /** What the spelling stands for, once complete. */
  bytes: readonly number[] = [];

  private constructor(part: Part, lead: number, start: number) {
    this.#part = part;
    this.lead = lead;
    this.start = start;
  }

  /** The spelling that `lead` may begin. */
  static begin(lead: number, start: number): Spelling {
    return new Spelling(leads.get(lead) ?? silentLeads.get(lead)!, lead, start);
  }

  copy(): Spelling {
    const copy = new Spelling(this.#part, this.lead, this.start);
    copy.#value = this.#value;
    copy.#count = this.#count;
    copy.#wanted = this.#wanted;
    copy.#high = this.#high;
    copy.#name = this.#name;
    return copy;
  }

  /** Whether both will read whatever follows alike, but for how long a terminal sequence may still get. */
  equals(other: Spelling): boolean {
    return (
      this.#part === other.#part &&
      this.#value === other.#value &&
      this.#count === other.#count &&
      this.#wanted === other.#wanted &&
      this.#high === other.#high &&
      this.#name === other.#name
    );
  }

  /** Reads `byte`, which stands at `index` of the layer. */
  next(byte: number, index: number): Progress {
    const digit = nibbles[byte]!;
    switch (this.#part) {
      case "percent":
        if (byte === 0x75 || byte === 0x55) return this.#go("hex", 4);
        if (digit < 0) return "none";
        this.#value = digit;
        return this.#go("digit-2");
      case "digit-2":
        return digit < 0 ? "none" : this.#byte((this.#value << 4) | digit);
      case "backslash":
        return this.#afterBackslash(byte);
      case "hex":
        if (byte === 0x7b && this.#count === 0) return this.#go("braced");
        if (digit < 0) {
          // `\x5` is a byte in a shell; `\u5` is nothing anywhere.
          if (this.#wanted === 2 && this.#count === 1) return this.#before(this.#value);
          return "none";
        }
        this.#value = this.#value * 16 + digit;
        return ++this.#count < this.#wanted ? "more" : this.#wanted === 2 ? this.#byte(this.#value) : this.#unit();
      case "braced":
        if (byte === 0x7d) return this.#count > 0 ? this.#character(this.#value) : "none";
        if (digit < 0 || ++this.#count > 8) return "none";
        this.#value = this.#value * 16 + digit;
        return "more";
      case "octal":
        if (byte < 0x30 || byte > 0x37) return this.#before(this.#value);
        this.#value = this.#value * 8 + byte - 0x30;
        return ++this.#count < 3 ? "more" : this.#byte(this.#value & 0xff);
      case "low-backslash":
        return byte === BACKSLASH ? this.#go("low-u") : "none";
      case "low-u":
        if (byte !== 0x75) return "none";
        return this.#go("hex", 4);
      case "fold":
        if (byte !== 0x20 && byte !== 0x09 && !isSkipped(byte)) return this.#nothingBefore();
        return index - this.start > LONGEST_SEQUENCE ? "none" : "more";
      case "ampersand":
        if (byte === 0x23) return this.#go("reference");
        return this.#letterOfName(byte);
      case "name":
        if (byte === 0x3b) return this.#named();
        if (isAlphanumeric(byte)) return this.#letterOfName(byte);
        return bareHtmlNames.has(this.#name) ? this.#before(htmlNames.get(this.#name)!) : "none";
      case "reference":
        if (byte === 0x78 || byte === 0x58) return this.#go("hexadecimal");
        this.#part = "decimal";
        return this.#digitOfReference(byte, digit > 9 ? -1 : digit, 10);
      case "decimal":
        return this.#digitOfReference(byte, digit > 9 ? -1 : digit, 10);
      case "hexadecimal":
        return this.#digitOfReference(byte, digit, 16);
      default:
        return this.#silent(byte, index);
    }
  }

  /** The text ends here: what an unfinished spelling stands for, if anything. */
  end(): Progress {
    if (this.#part === "octal") return this.#before(this.#value);
    if (this.#part === "fold") return this.#nothingBefore();
    if (this.#part === "hex" && this.#wanted === 2 && this.#count === 1) return this.#before(this.#value);
    if ((this.#part === "decimal" || this.#part === "hexadecimal") && this.#count > 0) return this.#characterBefore(this.#value);
    if (this.#part === "name" && bareHtmlNames.has(this.#name)) return this.#before(htmlNames.get(this.#name)!);
    return "none";
  }

  #afterBackslash(byte: number): Progress {
    if (byte >= 0x30 && byte <= 0x37) {
      this.#value = byte - 0x30;
      this.#count = 1;
      return this.#go("octal", 0, 1);
    }
    if (byte === 0x75) return this.#go("hex", 4);
    if (byte === 0x55) return this.#go("hex", 8);
    if (byte === 0x78) return this.#go("hex", 2);
    // YAML 1.2 §7.3.1 and a shell's double quotes: the line goes on, in YAML without its indentation.
    if (isSkipped(byte)) return this.#go("fold");
    return this.#byte(CONTROL_LETTERS[byte]!);
  }

  /** Four or eight hex digits are read: a UTF-16 code unit or a code point. */
  #unit(): Progress {
    const value = this.#value;
    if (this.#high > 0) {
      if (value < 0xdc00 || value > 0xdfff) return "none";
      return this.#character(0x10000 + ((this.#high - 0xd800) << 10) + value - 0xdc00);
    }
    if (value >= 0xd800 && value <= 0xdbff) {
      this.#high = value;
      this.#value = 0;
      return this.#go("low-backslash");
    }
    return this.#character(value);
  }

  #letterOfName(byte: number): Progress {
    if (!isAlphanumeric(byte) || this.#name.length >= LONGEST_HTML_NAME) return "none";
    this.#name += String.fromCharCode(byte);
    return this.#go("name");
  }

  #named(): Progress {
    const byte = htmlNames.get(this.#name);
    return byte === undefined ? "none" : this.#byte(byte);
  }

  #digitOfReference(byte: number, digit: number, base: number): Progress {
    if (digit >= 0) {
      if (++this.#count > 10) return "none";
      this.#value = this.#value * base + digit;
      return "more";
    }
    if (this.#count === 0) return "none";
    return byte === 0x3b ? this.#character(this.#value) : this.#characterBefore(this.#value);
  }

  #silent(byte: number, index: number): Progress {
    switch (this.#part) {
      case "escape":
        if (byte === 0x5b) return this.#go("csi");
        if (byte === 0x5d || byte === 0x50 || byte === 0x5e || byte === 0x5f || byte === 0x58) return this.#go("string");
        if (byte >= 0x20 && byte <= 0x2f) return this.#go("intermediate");
        return byte >= 0x30 && byte <= 0x7e ? "nothing" : "none";
      case "intermediate":
        if (byte >= 0x20 && byte <= 0x2f) return index - this.start > LONGEST_SEQUENCE ? "none" : "more";
        return byte >= 0x30 && byte <= 0x7e ? "nothing" : "none";
      case "csi":
        if (byte >= 0x20 && byte <= 0x3f) return index - this.start > LONGEST_SEQUENCE ? "none" : "more";
        return byte >= 0x40 && byte <= 0x7e ? "nothing" : "none";
      case "string":
        if (byte === 0x07) return "nothing";
        if (byte === ESCAPE) return this.#go("string-end");
        return index - this.start > LONGEST_SEQUENCE ? "none" : "more";
      case "string-end":
        return byte === BACKSLASH ? "nothing" : "none";
      case "c2":
        return byte === 0xad ? "nothing" : "none";
      case "cd":
        return byte === 0x8f ? "nothing" : "none";
      case "e1":
        return byte === 0xa0 ? this.#go("e1a0") : "none";
      case "e1a0":
        return byte === 0x8e ? "nothing" : "none";
      case "e2":
        return byte === 0x80 ? this.#go("e280") : byte === 0x81 ? this.#go("e281") : "none";
      case "e280":
        return (byte >= 0x8b && byte <= 0x8f) || (byte >= 0xaa && byte <= 0xae) ? "nothing" : "none";
      case "e281":
        return byte >= 0xa0 && byte <= 0xaf ? "nothing" : "none";
      case "ef":
        return byte === 0xb8 ? this.#go("efb8") : byte === 0xbb ? this.#go("efbb") : "none";
      case "efb8":
        return byte >= 0x80 && byte <= 0x8f ? "nothing" : "none";
      case "efbb":
        return byte === 0xbf ? "nothing" : "none";
      default:
        return "none";
    }
  }

  #go(part: Part, wanted = 0, count = 0): Progress {
    this.#part = part;
    this.#wanted = wanted;
    this.#count = count;
    return "more";
  }

  #byte(byte: number): Progress {
    this.bytes = single[byte]!;
    return "bytes";
  }

  #before(byte: number): Progress {
    this.bytes = single[byte]!;
    return "bytes-before";
  }

  #nothingBefore(): Progress {
    this.bytes = [];
    return "bytes-before";
  }

  #character(codePoint: number): Progress {
    if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return "none";
    this.bytes = utf8(codePoint);
    return "bytes";
  }

  #characterBefore(codePoint: number): Progress {
    return this.#character(codePoint) === "bytes" ? "bytes-before" : "none";
  }
}

/** A code point in UTF-8; half a surrogate pair in the three bytes that it would have. */
export function utf8(codePoint: number): number[] {
  if (codePoint < 0x80) return [codePoint];
  if (codePoint < 0x800) return [0xc0 | (codePoint >> 6), 0x80 | (codePoint & 63)];
  if (codePoint < 0x10000) return [0xe0 | (codePoint >> 12), 0x80 | ((codePoint >> 6) & 63), 0x80 | (codePoint & 63)];
  return [0xf0 | (codePoint >> 18), 0x80 | ((codePoint >> 12) & 63), 0x80 | ((codePoint >> 6) & 63), 0x80 | (codePoint & 63)];
}
