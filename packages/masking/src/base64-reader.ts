/**
 * Finds stretches of base64 or base64url in a layer and reads what they decode to. Nobody knows where in a stretch a group of four
 * letters begins (`key=` may touch what was encoded), so each is decoded from its first, second, third and fourth letter on, into a
 * layer each. Line breaks inside a stretch are stepped over; a spelled letter (`%2B`, `\/`) counts as the letter.
 *
 * The first letter of a value stays where it holds two bits of it only, a line break follows it, or what is encoded does not begin with
 * the value itself: to hide those bits too, a stream would have to hold back the last letter of almost every word.
 *
 * A stretch too short to hold the shortest value is not decoded, unless the bytes at hand end in it.
 */
import { MIN_LETTERS, Stretch } from "./base64-stretch.ts";
import { glance, NO_SPELLING, WIDE } from "./glance.ts";
import { isSkipped, SPELLING_LEADS, sextets } from "./letters.ts";
import type { Origin, Search } from "./search.ts";
import { Spelling, spellingLead } from "./spelling.ts";
import { CONTEXT_BYTES, nextToRead } from "./stretches.ts";

/** More skipped bytes than this in a row end a stretch. */
export const MAX_SKIPPED = 4;

const OUTSIDE = 0;
const LETTER = 1;
const SKIPPED = 2;
const LEAD = 3;
const TAIL = 4;

/** 0 for what stands in no stretch. */
export const base64Kinds = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) if (sextets[byte]! >= 0) base64Kinds[byte] = LETTER;
for (let byte = 0; byte < 256; byte++) if (isSkipped(byte)) base64Kinds[byte] = SKIPPED;
for (const byte of SPELLING_LEADS) base64Kinds[byte] = LEAD;
for (const byte of "#;{}") base64Kinds[byte.charCodeAt(0)] = TAIL;

/** A stretch in which letters may be spelled in one way. */
interface Spelled {
  readonly lead: number;
  readonly stretch: Stretch;
  /** A spelling under way, which may turn out to be a letter. */
  spelling: Spelling | undefined;
}

export class Base64Reader {
  readonly #search: Search;
  readonly #depth: number;
  readonly #origin: Origin;
  readonly #spare: Stretch[] = [];
  /** The letters since the last byte that is none. */
  #plain: Stretch | undefined;
  /** By a spelling's first byte, the letters since the last byte that is none when so spelled; only where one was spelled. */
  #spelled: Spelled[] = [];
  #skipped = 0;
  /** Index after the last byte read. */
  #index = 0;
  /** True while the layer's last byte belongs to a stretch. */
  #open = false;

  constructor(search: Search, depth: number, origin: Origin) {
    this.#search = search;
    this.#depth = depth;
    this.#origin = origin;
  }

  read(bytes: Uint8Array, from: number, to: number, base: number): void {
    let at = from;
    while (at < to) {
      if (!this.#open) at = nextToRead(bytes, at, to, base64Kinds, MIN_LETTERS, this.#search.scouts?.base64(this.#depth), CONTEXT_BYTES);
      if (at === to) break;
      this.#open = true;
      at = this.#readStretch(bytes, at, to, base);
      if (at === to) break;
      this.finish();
      at++;
    }
    this.#index = base + to;
    if (this.#open) this.#pause();
  }

  /** Layer index of the first byte of an occurrence that may still come; Infinity when there is none. */
  partial(): number {
    let first = this.#plain?.partial(this.#index) ?? Number.POSITIVE_INFINITY;
    for (const { stretch, spelling } of this.#spelled)
      first = Math.min(first, stretch.partial(spelling?.start ?? this.#index), spelling?.start ?? first);
    return first;
  }

  finish(): void {
    if (this.#plain !== undefined) this.#end(this.#plain);
    this.#plain = undefined;
    for (const { lead, stretch, spelling } of this.#spelled) {
      if (spelling?.end() === "bytes-before") addSpelled({ lead, stretch, spelling }, spelling, spelling.start + 1);
      this.#end(stretch);
    }
    this.#spelled = [];
    this.#skipped = 0;
    this.#open = false;
  }

  /** The bytes at hand end here: decodes what there is, and forgets what is not needed. */
  #pause(): void {
    this.#plain?.decode();
    for (const { stretch } of this.#spelled) stretch.decode();
    this.#unite(this.#index);
    this.#plain?.prune();
    for (const { stretch } of this.#spelled) stretch.prune();
  }

  /** Reads on from `from` to where the stretch ends, or to `to`; returns where. */
  #readStretch(bytes: Uint8Array, from: number, to: number, base: number): number {
    let at = from;
    while (at < to) {
      const kind = base64Kinds[bytes[at]!];
      if (kind === OUTSIDE) return at;
      const spelling = this.#spelled.some((spelled) => spelled.spelling !== undefined);
      if (!spelling && (kind === TAIL || (kind === LEAD && spellsNoLetter(bytes, at, to)))) return at;
      if (spelling || kind === LEAD) {
        this.#readByte(bytes[at]!, base + at);
        at++;
        continue;
      }
      const begin = at;
      let skipped = this.#skipped;
      let letters = this.#plain !== undefined;
      for (; at < to; at++) {
        const next = base64Kinds[bytes[at]!]!;
        if (next === LETTER) {
          skipped = 0;
          letters = true;
        } else if (next === SKIPPED && skipped < MAX_SKIPPED) skipped++;
        else break;
      }
      this.#skipped = skipped;
      if (at === begin) {
        // Too many line breaks in a row.
        return at;
      }
      if (letters) this.#plain ??= this.#begin();
      this.#plain?.letters(bytes, begin, at, base);
      for (const { stretch } of this.#spelled) stretch.letters(bytes, begin, at, base);
      if (this.#spelled.length > 0 && at - begin >= 64) this.#unite(base + at);
    }
    return at;
  }

  /** One byte at or inside a spelling. */
  #readByte(byte: number, index: number): void {
    const kind = base64Kinds[byte]!;
    const going: Spelled[] = [];
    for (const spelled of this.#spelled) {
      if (readSpelled(spelled, byte, index)) going.push(spelled);
      else this.#end(spelled.stretch);
    }
    this.#spelled = going;
    if (kind === LETTER) {
      // What follows a spelling's first byte may as well be letters as they stand.
      this.#plain ??= this.#begin();
      this.#plain.letter(sextets[byte]!, index, 1);
      this.#skipped = 0;
      return;
    }
    if (kind === SKIPPED) return;
    if (kind === LEAD && !going.some(({ lead }) => lead === byte)) {
      going.push({ lead: byte, stretch: this.#plain ?? this.#begin(), spelling: Spelling.begin(byte, index) });
    } else if (this.#plain !== undefined) this.#end(this.#plain);
    this.#plain = undefined;
  }

  /** A stretch with a spelled letter is done when nothing under way in it begins before what is decoded of the letters that stand plain, nor can the last bits. */
  #unite(end: number): void {
    const plain = this.#plain;
    if (plain === undefined || this.#spelled.length === 0) return;
    const going: Spelled[] = [];
    for (const spelled of this.#spelled) {
      spelled.stretch.decode();
      const settled = spelled.spelling === undefined && spelled.stretch.plainLetters >= 4;
      if (settled && spelled.stretch.partial(end) >= plain.firstDecoded) this.#end(spelled.stretch);
      else going.push(spelled);
    }
    this.#spelled = going;
  }

  #begin(): Stretch {
    return this.#spare.pop() ?? new Stretch(this.#search, this.#depth, this.#origin);
  }

  #end(stretch: Stretch): void {
    stretch.finish();
    this.#spare.push(stretch);
  }
}

/** Whether it is clear that what `bytes` spell at `at` is no letter. */
export function spellsNoLetter(bytes: Uint8Array, at: number, to: number): boolean {
  if (at + 1 < to && spellingLead(bytes[at + 1]!) > 0) return true;
  const spelled = glance(bytes, at, to);
  return spelled === NO_SPELLING || spelled <= WIDE || (spelled >= 0 && sextets[spelled]! < 0 && !isSkipped(spelled));
}

/** Reads one byte in a stretch with spelled letters; false when the stretch ends here. */
function readSpelled(spelled: Spelled, byte: number, index: number): boolean {
  const { spelling, stretch, lead } = spelled;
  if (spelling === undefined) {
    const kind = base64Kinds[byte]!;
    if (kind === LETTER) stretch.letter(sextets[byte]!, index, 1);
    if (byte === lead) spelled.spelling = Spelling.begin(byte, index);
    return kind === LETTER || byte === lead || kind === SKIPPED;
  }
  const progress = spelling.next(byte, index);
  if (progress === "more") return true;
  spelled.spelling = undefined;
  if (progress === "none" || progress === "nothing") return false;
  if (!addSpelled(spelled, spelling, progress === "bytes" ? index + 1 : index)) return false;
  return progress === "bytes" || readSpelled(spelled, byte, index);
}

/** Adds what a spelling that ends before `end` stands for; false when that is no letter. */
function addSpelled({ stretch }: Spelled, { bytes, start }: Spelling, end: number): boolean {
  const [decoded] = bytes;
  if (bytes.length !== 1) return bytes.length === 0;
  const value = sextets[decoded!]!;
  if (value >= 0) stretch.letter(value, start, end - start);
  return value >= 0 || isSkipped(decoded!);
}
