/**
 * Looks through stretches of base64, as `base64-reader.ts` reads them. Nothing is decoded but around what looks like a value: every four letters in
 * a row are one group in one of the four alignments, and tables tell by its letters whether the three bytes in it are a run of three of a
 * value's first five letters, or one of them is special, or all are letters of base64 or hex themselves.
 */
import { MAX_SKIPPED, spellsNoLetter } from "../base64-reader.ts";
import { glance, glanceLength, maybeSilent, NO_SPELLING, WIDE } from "../glance.ts";
import { AMPERSAND, BACKSLASH, BACKSPACE, ESCAPE, isAlphanumeric, isSkipped, nibbles, PERCENT, sextets } from "../letters.ts";
import { CONTROL_LETTERS, Spelling, spellingLead } from "../spelling.ts";
import { type Grams, hashOf, secondHashOf } from "./grams.ts";
import { BASE64, bitsOf, groupBits, isSpecial, NONE, PLAIN } from "./kinds.ts";
import { runStart, shortRunEnd } from "./run.ts";

const UNKNOWN_LETTERS = 3;
const MIN_LETTERS = UNKNOWN_LETTERS + 10;
/** Where a value begins may be told this many letters later; at the end of bytes that go on, so many letters are left to a layer. */
const LOOKBACK = 32;
/** What stands so many bytes before decides how the first letters are read. */
const CONTEXT_BYTES = 24;
/** Letters after a spelled one in which a value may begin that takes its spelling for letters. */
const FEW_LETTERS = UNKNOWN_LETTERS + 24;
/** Groups decoded before and after one that is looked at more closely. */
const GROUPS_BEFORE = 4;
const GROUPS_AFTER = 16;
/** As before, to be sure. */
const MANY_GROUPS_AFTER = 64;
/** Most of what looks like a beginning is none by the next few bytes. */
const GROUPS_AT_FIRST = [4, GROUPS_AFTER, MANY_GROUPS_AFTER] as const;
/** A run is looked through in pieces of so many bytes, which overlap. */
const PIECE_BYTES = 4096;
const OVERLAP_BYTES = 512;

/** More looks than these, at first and for letters, are more work than a layer's. */
const LOOKS_AT_FIRST = 8;
const LETTERS_A_LOOK = 32;

/** The scout of what is inside. */
export interface InnerScout {
  next(bytes: Uint8Array, from: number, to: number, open: boolean): number;
  beginsAt(bytes: Uint8Array, at: number, to: number, open: boolean): boolean;
  isBeginning(bytes: Uint8Array, from: number, to: number, at: number, open: boolean): boolean;
}

/** Letters in a row, and where each is written. */
interface Letters {
  values: Uint8Array;
  places: Int32Array;
  count: number;
}

const lettersFor = (count: number): Letters => ({ values: new Uint8Array(count), places: new Int32Array(count), count: 0 });

export class Base64Scout {
  /** Where the run ended that was looked through last. */
  end = 0;
  readonly #grams: Grams;
  readonly #inner: InnerScout;
  /** Fewer bytes in a row hold no value. */
  readonly #shortestRun: number;
  readonly #groups: Uint16Array;
  readonly #special: Uint8Array;
  readonly #bits: Uint8Array;
  readonly #stretch: Letters = lettersFor(1024);
  /** Letters around one that is looked at more closely, and where a value may begin for it. */
  readonly #around: Letters = lettersFor(UNKNOWN_LETTERS + 4 * (GROUPS_BEFORE + MANY_GROUPS_AFTER + 2));
  #near = NONE;
  /** How often it was looked at more closely, in this piece of a run. */
  #looks = 0;
  #group = 0;
  readonly #few: Letters = lettersFor(FEW_LETTERS + 1);
  /** Places of the spelled letters of the stretch, where each spelling ends, and how many letters stand up to there. */
  readonly #spelled: { readonly place: number; readonly end: number; readonly count: number }[] = [];
  #window = new Uint8Array(3 * (GROUPS_BEFORE + MANY_GROUPS_AFTER) + 3);
  #decoded = new Uint8Array(1024);

  constructor(grams: Grams, depth: number, inner: InnerScout) {
    this.#grams = grams;
    this.#inner = inner;
    this.#shortestRun = Math.max(9, Math.floor((grams.shortest * 8) / 6) - 2);
    this.#groups = groupBits[depth + 1]!;
    this.#special = isSpecial[depth + 1]!;
    this.#bits = bitsOf[depth + 1]!;
  }

  /** Looks through the run of bytes that may be of base64 that `at` is in; where in it a value may begin, or `NONE`. */
  look(bytes: Uint8Array, from: number, at: number, end: number, goesOn: boolean): number {
    const bits = bitsOf[0]!;
    let start = runStart(bytes, at, Math.max(0, from - CONTEXT_BYTES), BASE64);
    const short = shortRunEnd(bytes, start, at, end, goesOn, this.#shortestRun, BASE64);
    if (short !== NONE) {
      this.end = Math.max(at + 4, short);
      return NONE;
    }
    const cut = end - at > PIECE_BYTES;
    const to = cut ? at + PIECE_BYTES : end;
    const open = goesOn || cut;
    let found = NONE;
    let reachesEnd = false;
    this.#looks = 0;
    while (found === NONE && start < to && (bits[bytes[start]!]! & BASE64) !== 0) {
      this.#near = NONE;
      const quickEnd = this.#lookQuickly(bytes, start, to, open, cut);
      if (quickEnd >= 0) {
        reachesEnd = quickEnd === to;
        found = this.#near;
        start = quickEnd + 1;
        continue;
      }
      this.#spelled.length = 0;
      const slowEnd = this.#read(bytes, start, to, open);
      reachesEnd = slowEnd >= to;
      found = this.#lookStretch(bytes, open && reachesEnd, goesOn && !cut);
      start = slowEnd + 1;
    }
    this.end = Math.max(at + 4, cut && reachesEnd ? to - OVERLAP_BYTES : Math.min(start, to));
    return found;
  }

  erase(): void {
    for (const { values } of [this.#stretch, this.#around, this.#few]) values.fill(0);
    this.#window.fill(0);
    this.#decoded.fill(0);
  }

  /** Where the stretch that begins at `from` ends; −1 when it has to be read letter by letter. Sets `#near` to where a value may begin. */
  #lookQuickly(bytes: Uint8Array, from: number, to: number, open: boolean, cut: boolean): number {
    const { threeBits, threeShift } = this.#grams;
    const groups = this.#groups;
    let word = 0;
    let one = 0;
    let two = 0;
    let history = 0;
    let count = 0;
    let skipped = 0;
    let at = from;
    for (; at < to; at++) {
      const value = sextets[bytes[at]!]!;
      if (value < 0) {
        const byte = bytes[at]!;
        if (isSkipped(byte)) {
          if (++skipped > MAX_SKIPPED) return at;
          continue;
        }
        if (spellingLead(byte) !== 1) return at;
        return spellsNoLetter(bytes, at, to) ? at : -1;
      }
      skipped = 0;
      word = ((word << 6) | value) & 0xffffff;
      const three = groups[word & 0xfff]!;
      const group = one & (two >> 3) & (three >> 6);
      one = two;
      two = three;
      const hash = hashOf(word, threeShift);
      history = (history << 2) | ((group >> 1) & 3);
      const run = history & (history >> 8) & (history >> 16) & 3;
      count++;
      if ((((group & PLAIN) ^ PLAIN) | ((threeBits[hash >>> 5]! >>> hash) & 1) | run) === 0) continue;
      if (run !== 0) return -1;
      let gram = false;
      if (((threeBits[hash >>> 5]! >>> hash) & 1) === 1) {
        const second = secondHashOf(word, threeShift);
        gram = ((threeBits[second >>> 5]! >>> second) & 1) === 1;
      }
      const suspect = (group & PLAIN) === 0 && count > UNKNOWN_LETTERS && this.#isSuspect(bytes, at, to, word);
      if ((gram || suspect) && (this.#isHostile(count) || this.#isNear(bytes, from, at, to, gram, suspect))) {
        this.#near = Math.max(from, at - 2 * LOOKBACK);
        return at;
      }
    }
    return open && !cut ? -1 : to;
  }

  /** Whether a value may begin about the group that ends at `at`, by the letters around it. */
  #isNear(bytes: Uint8Array, from: number, at: number, to: number, gram: boolean, suspect: boolean): boolean {
    let first = at;
    for (let letters = 1; first > from && letters < 4 * (GROUPS_BEFORE + 1) + UNKNOWN_LETTERS; first--) {
      const before = bytes[first - 1]!;
      if (sextets[before]! >= 0) letters++;
      else if (!isSkipped(before)) break;
    }
    for (const groups of GROUPS_AT_FIRST) {
      const open = this.#collect(bytes, first, at, to, UNKNOWN_LETTERS + 4 * (GROUPS_BEFORE + groups + 2));
      const begins =
        (gram && this.#beginsAround(this.#around, this.#group, open, groups)) ||
        (suspect && this.#hasBeginning(this.#around, this.#group, open, groups));
      if (!begins) return false;
    }
    return true;
  }

  /** Takes up to `most` letters from `first` on; returns whether more letters may follow. Sets `#group` to which group ends at `at`. */
  #collect(bytes: Uint8Array, first: number, at: number, to: number, most: number): boolean {
    const { values } = this.#around;
    let count = UNKNOWN_LETTERS;
    let index = first;
    for (; index < to && count < most; index++) {
      const value = sextets[bytes[index]!]!;
      if (value >= 0) {
        if (index === at) this.#group = count - 3;
        values[count++] = value;
      } else if (!isSkipped(bytes[index]!)) break;
    }
    this.#around.count = count;
    // Where the letters break off at what may spell another, or at the end, they may go on.
    return index === to || count === most || spellingLead(bytes[index]!) === 1;
  }

  /** Whether a special byte in the group that ends at `at` may be among a value's letters, by the bytes next to it alone. */
  #isSuspect(bytes: Uint8Array, at: number, to: number, word: number): boolean {
    const special = this.#special;
    const first = word >>> 16;
    const second = (word >>> 8) & 255;
    const third = word & 255;
    const one = at + 1 < to ? sextets[bytes[at + 1]!]! : -1;
    const two = at + 2 < to ? sextets[bytes[at + 2]!]! : -1;
    const three = at + 3 < to ? sextets[bytes[at + 3]!]! : -1;
    const fourth = one < 0 || two < 0 ? -1 : (one << 2) | (two >> 4);
    const fifth = fourth < 0 || three < 0 ? -1 : ((two & 15) << 4) | (three >> 2);
    if (special[second] === 1 && this.#mayBe(first, second, third, fourth)) return true;
    if (special[third] === 1 && this.#mayBe(second, third, fourth, fifth)) return true;
    if (special[first] === 0) return false;
    const last = at >= 5 ? sextets[bytes[at - 5]!]! : -1;
    const nearest = at >= 5 ? sextets[bytes[at - 4]!]! : -1;
    return this.#mayBe(last < 0 || nearest < 0 ? -1 : ((last & 3) << 6) | nearest, first, second, third);
  }

  /** @param last more letters may follow that are not there yet */
  #lookStretch(bytes: Uint8Array, open: boolean, last: boolean): number {
    const { count, places } = this.#stretch;
    if (!open && count - UNKNOWN_LETTERS < this.#shortestRun) return NONE;
    let found = count >= MIN_LETTERS ? this.#lookThrough(this.#stretch, open) : NONE;
    for (const { place, end, count: before } of this.#spelled) {
      if (place >= found) break;
      if (!this.#takeAsLetters(bytes, place, end, before)) continue;
      if (this.#few.count >= MIN_LETTERS - 2) found = Math.min(found, this.#lookThrough(this.#few, true));
    }
    if (open && last) found = Math.min(found, places[Math.max(0, count - LOOKBACK)]!);
    return found;
  }

  /** The spelling at `place` as letters as they stand, and some that follow it in the stretch; false where it is no letters. */
  #takeAsLetters(bytes: Uint8Array, place: number, end: number, before: number): boolean {
    const few = this.#few;
    const { values, places, count } = this.#stretch;
    fillUnknown(few, place + 1);
    let taken = UNKNOWN_LETTERS;
    for (let at = place + 1; at < end; at++) {
      const value = sextets[bytes[at]!]!;
      if (value < 0 && isSkipped(bytes[at]!)) continue;
      if (value < 0) return false;
      few.values[taken] = value;
      few.places[taken++] = at;
    }
    for (let next = before; next < count && taken < FEW_LETTERS; next++) {
      few.values[taken] = values[next]!;
      few.places[taken++] = places[next]!;
    }
    few.count = taken;
    return true;
  }

  /** Reads the letters of the stretch from `from` on; returns where it ends. */
  #read(bytes: Uint8Array, from: number, to: number, open: boolean): number {
    const letters = this.#stretch;
    fillUnknown(letters, from);
    let count = UNKNOWN_LETTERS;
    let skipped = 0;
    let at = from;
    while (at < to) {
      if (count + 1 >= letters.values.length) this.#grow(letters);
      const { values, places } = letters;
      const limit = Math.min(to, at + values.length - count - 1);
      let value = -1;
      for (; at < limit; at++) {
        value = sextets[bytes[at]!]!;
        if (value < 0) break;
        values[count] = value;
        places[count++] = at;
        skipped = 0;
      }
      if (value >= 0 || at >= to) continue;
      const byte = bytes[at]!;
      if (isSkipped(byte)) {
        if (++skipped > MAX_SKIPPED) break;
        at++;
        continue;
      }
      if (spellingLead(byte) !== 1 || (at + 1 < to && spellingLead(bytes[at + 1]!) > 0)) break;
      const plain = glance(bytes, at, to);
      if (plain === NO_SPELLING || plain <= WIDE) break;
      if (plain >= 0) {
        if (sextets[plain]! < 0 && !isSkipped(plain)) break;
        const end = at + glanceLength;
        if (sextets[plain]! >= 0) {
          values[count] = sextets[plain]!;
          places[count++] = at;
          skipped = 0;
        }
        // A letter after a backslash is the same letter without it.
        if (glanceLength > 2 || bytes[at + 1] !== plain) this.#spelled.push({ place: at, end, count });
        at = end;
        continue;
      }
      const spelling = Spelling.begin(byte, at);
      let next = at + 1;
      let progress = "more";
      while (next < to) {
        progress = spelling.next(bytes[next]!, next);
        if (progress !== "more") break;
        next++;
      }
      if (progress === "more") {
        if (open) {
          at = to;
          break;
        }
        progress = spelling.end();
      }
      if (progress === "bytes-before" && spelling.bytes.length === 0) {
        at = next;
        continue;
      }
      const letter = spelling.bytes.length === 1 && (progress === "bytes" || progress === "bytes-before") ? spelling.bytes[0]! : -1;
      if (letter < 0 || (sextets[letter]! < 0 && !isSkipped(letter))) break;
      if (sextets[letter]! >= 0) {
        values[count] = sextets[letter]!;
        places[count++] = at;
        skipped = 0;
      }
      const end = progress === "bytes-before" ? next : next + 1;
      if (next > at + 1 || bytes[at + 1] !== letter) this.#spelled.push({ place: at, end, count });
      at = end;
    }
    letters.count = count;
    return at;
  }

  #grow(letters: Letters): void {
    const values = new Uint8Array(letters.values.length * 2);
    const places = new Int32Array(letters.values.length * 2);
    values.set(letters.values);
    places.set(letters.places);
    letters.values = values;
    letters.places = places;
  }

  /** @param open more letters may follow */
  #lookThrough(letters: Letters, open: boolean): number {
    const { values, places, count } = letters;
    const { threeBits, threeShift } = this.#grams;
    const groups = this.#groups;
    const innerTo = [0, 0, 0, 0];
    let word = (values[0]! << 12) | (values[1]! << 6) | values[2]!;
    let one = groups[word >>> 6]!;
    let two = groups[word & 0xfff]!;
    let history = 0;
    /** The first letter of what may begin inside a run inside. */
    let inside = NONE;
    for (let last = 3; last < count && last - 3 < inside; last++) {
      word = ((word << 6) | values[last]!) & 0xffffff;
      const three = groups[word & 0xfff]!;
      const bits = one & (two >> 3) & (three >> 6);
      one = two;
      two = three;
      const hash = hashOf(word, threeShift);
      history = (history << 2) | ((bits >> 1) & 3);
      const run = history & (history >> 8) & (history >> 16) & 3;
      if ((((bits & PLAIN) ^ PLAIN) | ((threeBits[hash >>> 5]! >>> hash) & 1) | run) === 0) continue;
      const group = last - 3;
      let gram = ((threeBits[hash >>> 5]! >>> hash) & 1) === 1;
      if (gram) {
        const second = secondHashOf(word, threeShift);
        gram = ((threeBits[second >>> 5]! >>> second) & 1) === 1;
      }
      const suspect = (bits & PLAIN) === 0 && this.#isSuspectAmong(letters, group, word);
      if ((gram || suspect) && (this.#isHostile(group) || this.#mayBegin(letters, group, open, gram, suspect)))
        return places[Math.max(0, group - LOOKBACK)]!;
      if (run !== 0 && group >= innerTo[group & 3]!) {
        inside = Math.min(inside, this.#isHostile(group) ? group : this.#lookInside(letters, group, open, innerTo));
      }
    }
    return inside === NONE ? NONE : places[Math.max(0, inside - LOOKBACK)]!;
  }

  /** One more look is due after so many letters: whether there were so many that the text must be made for it, and a layer reads it sooner. */
  #isHostile(letters: number): boolean {
    return ++this.#looks > LOOKS_AT_FIRST + letters / LETTERS_A_LOOK;
  }

  /** Whether a value may begin about the group at letter `group`, by ever more that stands after it. */
  #mayBegin(letters: Letters, group: number, open: boolean, gram: boolean, suspect: boolean): boolean {
    for (const groups of GROUPS_AT_FIRST) {
      const begins =
        (gram && this.#beginsAround(letters, group, open, groups)) || (suspect && this.#hasBeginning(letters, group, open, groups));
      if (!begins) return false;
    }
    return true;
  }

  /** Whether a value begins at most two bytes before the group at letter `group`. */
  #beginsAround(letters: Letters, group: number, open: boolean, groups: number): boolean {
    const first = firstGroup(group);
    const count = decode(letters, first, GROUPS_BEFORE + groups, this.#window);
    const runsOut = open || count >= 3 * (GROUPS_BEFORE + groups);
    const at = ((group - first) >> 2) * 3;
    for (let start = at; start >= 0 && start > at - 3; start--) if (this.#inner.beginsAt(this.#window, start, count, runsOut)) return true;
    return false;
  }

  /** As `#isSuspect`, among letters. */
  #isSuspectAmong({ values, count }: Letters, group: number, word: number): boolean {
    const special = this.#special;
    const before = group >= 4 ? ((values[group - 2]! & 3) << 6) | values[group - 1]! : -1;
    const after = group + 5 < count ? (values[group + 4]! << 2) | (values[group + 5]! >> 4) : -1;
    const first = word >>> 16;
    const second = (word >>> 8) & 255;
    const third = word & 255;
    return (
      (special[first] === 1 && this.#mayBe(before, first, second, third)) ||
      (special[second] === 1 && this.#mayBe(first, second, third, after)) ||
      (special[third] === 1 && this.#mayBe(second, third, after, -1))
    );
  }

  /** Whether a value may have one of the group's special bytes among its first letters, and none before. */
  #hasBeginning(letters: Letters, group: number, open: boolean, groups: number): boolean {
    const from = firstGroup(group);
    const decoded = decode(letters, from, GROUPS_BEFORE + groups, this.#window);
    const runsOut = open || decoded >= 3 * (GROUPS_BEFORE + groups);
    const at = ((group - from) >> 2) * 3;
    for (let each = at; each < at + 3 && each < decoded; each++) {
      if (this.#special[this.#window[each]!] === 1 && this.#inner.isBeginning(this.#window, 0, decoded, each, runsOut)) return true;
    }
    return false;
  }

  /** Whether `byte`, which is special, may be among a value's letters between `before` and the two that follow; −1 where those are not known. */
  #mayBe(before: number, byte: number, after: number, second: number): boolean {
    const { early, inValue } = this.#grams;
    const special = this.#special;
    if (after < 0 || inValue[byte] === 1) return true;
    const open = second < 0 || special[second] === 1;
    switch (byte) {
      case PERCENT: {
        if (special[after] === 1 || after === 0x75 || after === 0x55) return true;
        const [high, low] = [nibbles[after]!, open ? 0 : nibbles[second]!];
        if (high < 0 || low < 0) return false;
        const letter = (high << 4) | low;
        return open || letter >= 0x80 || early[letter] === 1 || special[letter] === 1;
      }
      case AMPERSAND:
        if (after === 0x23) return open || nibbles[second]! >= 0 || second === 0x78 || second === 0x58;
        return special[after] === 1 || (isAlphanumeric(after) && (open || second === 0x3b || isAlphanumeric(second)));
      case BACKSLASH: {
        if (special[after] === 1 || after === 0x75 || after === 0x78 || after === 0x55 || (after >= 0x30 && after <= 0x37)) return true;
        const letter = CONTROL_LETTERS[after]!;
        return special[letter] === 1 || (early[letter] === 1 && (open || this.#grams.pair(letter, second)));
      }
      case BACKSPACE:
        return early[after] === 1 || special[after] === 1;
    }
    if (before < 0 || early[before] === 0) return false;
    if (isSkipped(byte)) return special[after] === 1 || this.#grams.pair(before, after);
    if (byte === ESCAPE) return after >= 0x20 && after <= 0x7e;
    pairOfBytes[0] = byte;
    pairOfBytes[1] = after;
    return maybeSilent(pairOfBytes, 0, 2);
  }

  /** Looks into the run of base64 or hex inside that the group belongs to; the letter where a value may begin, or `NONE`. */
  #lookInside(letters: Letters, group: number, open: boolean, innerTo: number[]): number {
    const first = firstGroup(group);
    let end = group + 4;
    while (end + 3 < letters.count && this.#isRun(letters, end)) end += 4;
    const wanted = ((end - first) >> 2) + 1;
    if (this.#decoded.length < wanted * 3 + 3) this.#decoded = new Uint8Array(wanted * 6);
    const count = decode(letters, first, wanted, this.#decoded);
    innerTo[group & 3] = end;
    const at = this.#inner.next(this.#decoded, 0, count, open && end + 7 >= letters.count);
    return at >= count ? NONE : first + 4 * Math.floor(at / 3);
  }

  #isRun({ values }: Letters, group: number): boolean {
    const bits = this.#bits;
    const first = bits[(values[group]! << 2) | (values[group + 1]! >> 4)]!;
    const second = bits[((values[group + 1]! & 15) << 4) | (values[group + 2]! >> 2)]!;
    const third = bits[((values[group + 2]! & 3) << 6) | values[group + 3]!]!;
    return (first & second & third & 6) !== 0;
  }
}

/** Up to three letters may stand before the first: in place of those any will do, so that the bytes are decoded that none of them is in. */
function fillUnknown({ values, places }: Letters, from: number): void {
  for (let each = 0; each < UNKNOWN_LETTERS; each++) {
    values[each] = 0;
    places[each] = from;
  }
}

const pairOfBytes = new Uint8Array(2);

/** The letter of the group, in the same alignment, at which to begin decoding what stands before. */
const firstGroup = (group: number): number => Math.max(group & 3, group - 4 * GROUPS_BEFORE);

/** Decodes up to `groups` groups from letter `first` on, and the bytes that the last letters hold whole; returns how many bytes. */
function decode({ values, count }: Letters, first: number, groups: number, out: Uint8Array): number {
  let written = 0;
  let at = first;
  for (let each = 0; each < groups && at + 3 < count; each++, at += 4) {
    out[written++] = (values[at]! << 2) | (values[at + 1]! >> 4);
    out[written++] = ((values[at + 1]! & 15) << 4) | (values[at + 2]! >> 2);
    out[written++] = ((values[at + 2]! & 3) << 6) | values[at + 3]!;
  }
  if (at + 3 >= count) {
    if (at + 1 < count) out[written++] = (values[at]! << 2) | (values[at + 1]! >> 4);
    if (at + 2 < count) out[written++] = ((values[at + 1]! & 15) << 4) | (values[at + 2]! >> 2);
  }
  return written;
}
