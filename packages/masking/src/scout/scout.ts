/**
 * Finds where in a text a value might begin, far faster than a layer reads: four bytes are looked at together, and most of them once.
 * What it promises: no occurrence that a layer would find begins before the place it names. Naming a place where none begins only costs time.
 *
 * An occurrence whose first seven letters stand as they are holds one of the value's first four runs of four at an address that is
 * divisible by four, so only those addresses are looked at, in a table of such runs (Karp and Rabin 1987; Wu and Manber 1994). Any other
 * occurrence has a byte among its first seven letters that does not stand for itself only: at each of those, what stands before and after
 * it is looked at. Stretches of base64, of hex and of numbers are told by several groups of four in a row that hold nothing
 * else, and looked through by the scouts of their own.
 */
import type { Automaton } from "../automaton.ts";
import { glance, glanceLength, maybeSilent, NO_SPELLING, UNCLEAR, WIDE } from "../glance.ts";
import { LONGEST_HTML_NAME } from "../html-names.ts";
import { AMPERSAND, BACKSLASH, BACKSPACE, isAlphanumeric, isSkipped, nibbles, PERCENT } from "../letters.ts";
import type { RunScout, RunScouts } from "../search.ts";
import { CONTROL_LETTERS, spellingLead } from "../spelling.ts";
import { Base64Scout } from "./base64-scout.ts";
import { Beginning } from "./beginning.ts";
import { DecimalScout } from "./decimal-scout.ts";
import { type Grams, hashOf, secondHashOf } from "./grams.ts";
import { HexScout } from "./hex-scout.ts";
import { BASE64, bitsOf, DECIMAL, HEX, isSpecial, NONE, PLAIN, pairBits } from "./kinds.ts";

/** What is found after the place of a beginning may lie this many bytes before what is found first. */
const LOOKBACK = 32;
/** At the end of bytes that go on, so many are left to the layer, and up to `MAX_TAIL` where they are a stretch of some encoding. */
const TAIL = 12;
const MAX_TAIL = 64;
/** Steps that may go into finding out that no value begins: at first, and a byte. Text that takes more is made for it, and a layer's to read. */
const STEPS_AT_FIRST = 4096;
const STEPS_A_BYTE = 4;
/** So many leads in a row at most spell a letter, with two levels of spelling: `\\\\\\u0041`. */
const LEADS_THAT_SPELL = 4;

/** What all scouts of a mask set share. */
export interface ScoutTables {
  readonly automaton: Automaton;
  readonly grams: Grams;
}

export class Scout implements RunScouts {
  readonly #automaton: Automaton;
  readonly #grams: Grams;
  readonly #depth: number;
  readonly #beginning: Beginning;
  readonly #base64: Base64Scout | undefined;
  readonly #hex: HexScout | undefined;
  readonly #inside: Scout | undefined;
  readonly #decimal: DecimalScout | undefined;
  readonly #special: Uint8Array;
  readonly #leads: boolean;
  readonly #pairs: Uint8Array;
  /** What the last words all have: the last one, the last two, the last three. */
  #last = 0;
  #two = 0;
  #three = 0;

  /** `depth`: how many encodings stand around the text, as a layer's. */
  constructor(tables: ScoutTables, depth: number) {
    this.#automaton = tables.automaton;
    this.#grams = tables.grams;
    this.#depth = depth;
    this.#beginning = new Beginning(tables.automaton, depth);
    this.#special = isSpecial[depth]!;
    this.#leads = depth < 2;
    this.#pairs = pairBits[depth]!;
    if (depth < 2) {
      const inside = new Scout(tables, depth + 1);
      this.#inside = inside;
      this.#base64 = new Base64Scout(tables.grams, depth, inside);
      this.#hex = new HexScout(tables.grams, depth, inside);
    }
    if (depth === 0) this.#decimal = new DecimalScout(tables.automaton, tables.grams);
  }

  /**
   * The first place, `from` to `to`, from which on a layer must read; `to` where there is none.
   * @param open more bytes may follow `to`: then the last ones are always left to the layer
   */
  next(bytes: Uint8Array, from: number, to: number, open: boolean): number {
    const tail = open ? this.#tailOf(bytes, from, to) : to;
    const found = this.#look(bytes, from, to, open);
    return found === NONE ? tail : Math.max(from, Math.min(found - LOOKBACK, tail));
  }

  #look(bytes: Uint8Array, from: number, to: number, open: boolean): number {
    const { fourBits, fourShift } = this.#grams;
    const special = this.#special;
    const beginning = this.#beginning;
    beginning.spent = 0;
    let at = from;
    for (const aligned = from + ((4 - ((bytes.byteOffset + from) & 3)) & 3); at < aligned && at < to; at++) {
      if (special[bytes[at]!] === 1 && this.isBeginning(bytes, from, to, at, open)) return Math.max(from, at - 8);
    }
    const count = (to - at) >> 2;
    if (count <= 0) {
      for (; at < to; at++) if (special[bytes[at]!] === 1 && this.isBeginning(bytes, from, to, at, open)) return Math.max(from, at - 8);
      return NONE;
    }
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, count);
    const first = at;
    let found = NONE;
    let base64To = from;
    let hexTo = from;
    let decimalTo = from;
    this.#last = 0;
    this.#two = 0;
    for (let index = this.#skip(words, 0, count); index < count; index = this.#skip(words, index + 1, count)) {
      const word = words[index]!;
      const bits = this.#last;
      const two = this.#two;
      const three = this.#three;
      const hash = hashOf(word, fourShift);
      at = first + index * 4;
      if (at >= found) return found;
      if (beginning.spent > STEPS_AT_FIRST + STEPS_A_BYTE * (at - from)) return at;
      if (((fourBits[hash >>> 5]! >>> hash) & 1) === 1) {
        const second = secondHashOf(word, fourShift);
        if (((fourBits[second >>> 5]! >>> second) & 1) === 1 && this.#beginsAround(bytes, from, to, at, open))
          return Math.max(from, at - 3);
      }
      if ((two & BASE64) !== 0 && at >= base64To && this.#base64 !== undefined) {
        const base64 = this.#base64.look(bytes, Math.max(from, base64To), at, to, open);
        base64To = this.#base64.end;
        if (base64 !== NONE) found = Math.min(found, base64);
      }
      if ((three & HEX) !== 0 && at >= hexTo && this.#hex !== undefined) {
        const hex = this.#hex.look(bytes, Math.max(from, hexTo), at, to, open);
        hexTo = this.#hex.end;
        if (hex !== NONE) found = Math.min(found, hex);
      }
      if ((three & DECIMAL) !== 0 && at >= decimalTo && this.#decimal !== undefined) {
        const decimal = this.#decimal.look(bytes, Math.max(from, decimalTo), at, to, open);
        decimalTo = this.#decimal.end;
        if (decimal !== NONE) found = Math.min(found, decimal);
      }
      if ((bits & PLAIN) === 0) {
        for (let each = at; each < at + 4; each++) {
          if (special[bytes[each]!] === 1 && this.isBeginning(bytes, from, to, each, open))
            return Math.min(found, Math.max(from, each - 8));
        }
      }
    }
    for (at = first + count * 4; at < to; at++) {
      if (special[bytes[at]!] === 1 && this.isBeginning(bytes, from, to, at, open)) return Math.min(found, Math.max(from, at - 8));
    }
    return found;
  }

  base64(depth: number): RunScout {
    return depth === 0 ? this.#base64! : this.#inside!.base64(depth - 1);
  }

  hex(depth: number): RunScout {
    return depth === 0 ? this.#hex! : this.#inside!.hex(depth - 1);
  }

  decimal(): RunScout {
    return this.#decimal!;
  }

  /** Overwrites what it decoded last. */
  erase(): void {
    this.#base64?.erase();
    this.#hex?.erase();
    this.#inside?.erase();
  }

  /** The next word at which something has to be looked at. */
  #skip(words: Int32Array, from: number, count: number): number {
    const { fourBits, fourShift } = this.#grams;
    const pairs = this.#pairs;
    let last = this.#last;
    let two = this.#two;
    for (let index = from; index < count; index++) {
      const word = words[index]!;
      const bits = pairs[word & 0xffff]! & pairs[word >>> 16]!;
      const hash = hashOf(word, fourShift);
      const three = bits & two;
      two = bits & last;
      last = bits;
      if ((((bits & PLAIN) ^ PLAIN) | ((fourBits[hash >>> 5]! >>> hash) & 1) | (two & BASE64) | (three & (HEX | DECIMAL))) === 0) continue;
      this.#last = last;
      this.#two = two;
      this.#three = three;
      return index;
    }
    return count;
  }

  /** Whether a value's first letters begin at `at` or up to three bytes before. */
  #beginsAround(bytes: Uint8Array, from: number, to: number, at: number, open: boolean): boolean {
    for (let start = at; start >= from && start > at - 4; start--) {
      if (this.beginsAt(bytes, start, to, open)) return true;
    }
    return false;
  }

  /** Whether a value may begin with the letter at `at`. */
  beginsAt(bytes: Uint8Array, at: number, to: number, open: boolean): boolean {
    return this.#beginning.goesOn(bytes, at, to, 0, -1, open);
  }

  /**
   * Whether a value may begin at the special byte at `at`, or with the up to seven bytes before it, but none before `from`.
   * @param open whether what the bytes break off in counts
   */
  isBeginning(bytes: Uint8Array, from: number, to: number, at: number, open: boolean): boolean {
    const { early, inValue } = this.#grams;
    const byte = bytes[at]!;
    const before = at > from ? bytes[at - 1]! : -1;
    if (byte === BACKSPACE) {
      if (at <= from) return false;
    } else if (inValue[byte] === 0) {
      const lead = this.#leads ? spellingLead(byte) : 0;
      if (lead === 1) {
        if (!this.#maySpell(bytes, to, at, before)) return false;
      } else {
        if (before < 0 || early[before] === 0 || this.#special[before] === 1) return false;
        if (lead === 2 ? !maybeSilent(bytes, at, to) : !this.#mayBeNext(bytes, to, before, at + 1)) return false;
      }
    }
    return this.#goesOnAt(bytes, from, to, at, open);
  }

  /** Whether what is spelled at `at` may be a letter of a value, by what stands before and after. */
  #maySpell(bytes: Uint8Array, to: number, at: number, before: number): boolean {
    const spelled = glance(bytes, at, to);
    if (spelled === NO_SPELLING) return false;
    if (spelled === UNCLEAR) return bytes[at + 1] !== bytes[at] || this.#mayEndRun(bytes, at, to);
    const letter = spelled <= WIDE ? WIDE - spelled : spelled;
    const next = spelled <= WIDE ? to : at + glanceLength;
    if (this.#special[letter] === 0) return this.#mayFollow(bytes, to, before, letter, next);
    if (this.#grams.inValue[letter] === 1) return true;
    if (letter === AMPERSAND) return this.#isName(bytes, next, to);
    if (letter === PERCENT) return this.#isPair(bytes, next, to);
    if (isSkipped(letter)) return before >= 0 && this.#special[before] === 0 && this.#mayBeNext(bytes, to, before, next);
    return true;
  }

  /**
   * Of a run of leads, which are in no value here, only the last few may spell what follows: each before them is read as the lead itself, whether
   * it stands or is spelled. Backslashes may spell one byte after them only, which then has to be in a value.
   */
  #mayEndRun(bytes: Uint8Array, at: number, to: number): boolean {
    const most = Math.min(to, at + LEADS_THAT_SPELL + 1);
    let end = at + 1;
    while (end < most && bytes[end] === bytes[at]) end++;
    if (end > at + LEADS_THAT_SPELL) return false;
    if (bytes[at] !== BACKSLASH || end >= to) return true;
    const after = bytes[end]!;
    if (after >= 0x80 || nibbles[after]! >= 0 || this.#special[after] === 1 || after === 0x75 || after === 0x55 || after === 0x78)
      return true;
    const letter = CONTROL_LETTERS[after]!;
    const { early } = this.#grams;
    return early[after] === 1 || early[letter] === 1 || this.#special[letter] === 1;
  }

  /** Whether the byte at `next` may follow `before` in a value, with nothing that counts between. */
  #mayBeNext(bytes: Uint8Array, to: number, before: number, next: number): boolean {
    return next >= to || this.#special[bytes[next]!] === 1 || this.#grams.pair(before, bytes[next]!);
  }

  /** Whether what stands after a percent sign may be the rest of a spelling. */
  #isPair(bytes: Uint8Array, from: number, to: number): boolean {
    for (let at = from; at < from + 2 && at < to; at++) {
      if (this.#special[bytes[at]!] === 1 || (bytes[at]! | 0x20) === 0x75) return true;
      if (nibbles[bytes[at]!]! < 0) return false;
    }
    return true;
  }

  /** Whether what stands after an ampersand may be the rest of a spelling. */
  #isName(bytes: Uint8Array, from: number, to: number): boolean {
    let at = from;
    while (at < to && at - from <= LONGEST_HTML_NAME && isAlphanumeric(bytes[at]!)) at++;
    if (at >= to || this.#special[bytes[at]!] === 1 || bytes[at] === 0x3b || (at === from && bytes[at] === 0x23)) return true;
    // Names that need no semicolon are this long.
    return at - from >= 2 && at - from <= 4;
  }

  /** Whether `letter` may follow `before`, or begin a value with what stands at `next`. */
  #mayFollow(bytes: Uint8Array, to: number, before: number, letter: number, next: number): boolean {
    // It is one of a value's first seven, so another follows that has to fit.
    if (!(next >= to || this.#special[bytes[next]!] === 1 || this.#grams.pair(letter, bytes[next]!))) return false;
    if (before >= 0 && this.#special[before] === 0 && this.#grams.pair(before, letter)) return true;
    return this.#automaton.firstBytes[letter] === 1;
  }

  #goesOnAt(bytes: Uint8Array, from: number, to: number, at: number, open: boolean): boolean {
    const { classOf } = this.#automaton;
    let start = at;
    // The byte that a backspace takes back may be any.
    if (bytes[at] === BACKSPACE && start > from) start--;
    while (start > from && start > at - 8 && this.#special[bytes[start - 1]!] === 0) start--;
    let state = 0;
    let previous = -1;
    for (let each = start; each < at; each++) {
      if (isSkipped(bytes[each]!)) continue;
      previous = state;
      state = this.#automaton.step(state, classOf[bytes[each]!]!);
    }
    return this.#beginning.goesOn(bytes, at, to, state, previous, open);
  }

  /** From where on a value may begin that is not told before more bytes come. */
  #tailOf(bytes: Uint8Array, from: number, to: number): number {
    let tail = Math.max(from, to - TAIL);
    const bits = bitsOf[this.#depth]!;
    for (const bit of [BASE64, HEX, DECIMAL]) {
      const least = Math.max(from, to - MAX_TAIL);
      let start = to;
      while (start > least && (bits[bytes[start - 1]!]! & bit) !== 0) start--;
      if (start > least || least === from) tail = Math.min(tail, start);
    }
    return tail;
  }
}
