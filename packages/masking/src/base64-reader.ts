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
import type { Form } from "./form.ts";
import { isSkipped, sextets, SPELLING_LEADS } from "./letters.ts";
import type { Decoded, Origin, Search } from "./search.ts";
import { Spelling } from "./spelling.ts";
import { nextStretch } from "./stretches.ts";

/** Letters in the encoding of the shortest pattern, at the worst alignment: ⌈64 bits / 6⌉ less a letter shared at each end. */
const MIN_LETTERS = 10;
/** More skipped bytes than this in a row end a stretch. */
const MAX_SKIPPED = 4;
/** Letters are decoded when so many have come together, or when the bytes at hand end. */
const BATCH = 4096;

const OUTSIDE = 0;
const LETTER = 1;
const SKIPPED = 2;
const LEAD = 3;
const TAIL = 4;

const kinds = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) if (sextets[byte]! >= 0) kinds[byte] = LETTER;
for (let byte = 0; byte < 256; byte++) if (isSkipped(byte)) kinds[byte] = SKIPPED;
for (const byte of SPELLING_LEADS) kinds[byte] = LEAD;
for (const byte of "#;{}") kinds[byte.charCodeAt(0)] = TAIL;

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
      if (!this.#open) at = nextStretch(bytes, at, to, kinds, MIN_LETTERS);
      if (at === to) return;
      this.#open = true;
      at = this.#readStretch(bytes, at, to, base);
      if (at < to) this.finish();
    }
    this.#index = base + to;
    if (this.#open) this.#pause();
  }

  /** Layer index of the first byte of an occurrence that may still come; Infinity when there is none. */
  partial(): number {
    let first = this.#plain?.partial(this.#index) ?? Number.POSITIVE_INFINITY;
    for (const { stretch, spelling } of this.#spelled) first = Math.min(first, stretch.partial(spelling?.start ?? this.#index), spelling?.start ?? first);
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
      const kind = kinds[bytes[at]!];
      if (kind === OUTSIDE) return at;
      if (kind === LEAD || kind === TAIL || this.#spelled.some(({ spelling }) => spelling !== undefined)) {
        this.#readByte(bytes[at]!, base + at);
        at++;
        continue;
      }
      const begin = at;
      let skipped = this.#skipped;
      for (; at < to; at++) {
        const next = kinds[bytes[at]!]!;
        if (next === LETTER) skipped = 0;
        else if (next === SKIPPED && skipped < MAX_SKIPPED) skipped++;
        else break;
      }
      this.#skipped = skipped;
      if (at === begin) {
        // Too many line breaks in a row.
        this.finish();
        this.#open = true;
        at++;
        continue;
      }
      this.#plain ??= this.#begin();
      this.#plain.letters(bytes, begin, at, base);
      for (const { stretch } of this.#spelled) stretch.letters(bytes, begin, at, base);
      if (this.#spelled.length > 0 && at - begin >= 64) this.#unite(base + at);
    }
    return at;
  }

  /** One byte at or inside a spelling. */
  #readByte(byte: number, index: number): void {
    const kind = kinds[byte]!;
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

  /** A stretch with a spelled letter is done when nothing under way in it begins before the letters that stand plain, nor can the last bits. */
  #unite(end: number): void {
    const plain = this.#plain;
    if (plain === undefined || this.#spelled.length === 0) return;
    const going: Spelled[] = [];
    for (const spelled of this.#spelled) {
      spelled.stretch.decode();
      const settled = spelled.spelling === undefined && spelled.stretch.plainLetters >= 4;
      if (settled && spelled.stretch.partial(end) >= plain.firstIndex) this.#end(spelled.stretch);
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

/** Reads one byte in a stretch with spelled letters; false when the stretch ends here. */
function readSpelled(spelled: Spelled, byte: number, index: number): boolean {
  const { spelling, stretch, lead } = spelled;
  if (spelling === undefined) {
    const kind = kinds[byte]!;
    if (kind === LETTER) stretch.letter(sextets[byte]!, index, 1);
    if (byte === lead) spelled.spelling = Spelling.begin(byte, index);
    return kind === LETTER || byte === lead || kind === SKIPPED;
  }
  const progress = spelling.next(byte);
  if (progress === "more") return true;
  spelled.spelling = undefined;
  if (progress === "none" || progress === "nothing") return false;
  if (!addSpelled(spelled, spelling, progress === "bytes" ? index + 1 : index)) return false;
  return progress === "bytes" || readSpelled(spelled, byte, index);
}

/** Adds what a spelling that ends before `end` stands for; false when that is no letter. */
function addSpelled({ stretch }: Spelled, { bytes, start }: Spelling, end: number): boolean {
  const [decoded] = bytes;
  if (bytes.length > 1) return false;
  const value = sextets[decoded!]!;
  if (value >= 0) stretch.letter(value, start, end - start);
  return value >= 0 || isSkipped(decoded!);
}

/** Letter `letter` of a stretch stands at layer index `index`, over `length` bytes, and so on one for one where `length` is 1. */
interface Place {
  readonly letter: number;
  readonly index: number;
  readonly length: number;
}

const PHASES = [0, 1, 2, 3] as const;
const LEAD_BITS = [0, 2, 4] as const;
const TRAIL_BITS = [4, 2, 0] as const;

class Stretch {
  readonly #origin: Origin;
  readonly #firstBytes: Uint8Array;
  readonly #phases: readonly Decoded[];
  readonly #done = [0, 0, 0, 0];
  /** The letters' values from letter `#from` on. */
  #values = new Uint8Array(64);
  #from = 0;
  #count = 0;
  #decodedTo = 0;
  #spelledTo = 0;
  #places: Place[] = [];
  #nextIndex = -1;
  /** Index after the last letter. */
  #end = -1;
  #decoded = new Uint8Array(64);

  constructor(search: Search, depth: number, origin: Origin) {
    this.#origin = origin;
    this.#firstBytes = search.firstBytes;
    this.#phases = PHASES.map((phase) => search.layer(depth + 1, this.#originOf(phase)));
  }

  /** Letters and skipped bytes, from `bytes[from]` to `bytes[to - 1]`. */
  letters(bytes: Uint8Array, from: number, to: number, base: number): void {
    this.#reserve(to - from);
    const values = this.#values;
    let end = this.#count - this.#from;
    let nextIndex = this.#nextIndex;
    for (let at = from; at < to; at++) {
      const value = sextets[bytes[at]!]!;
      if (value < 0) continue;
      if (base + at !== nextIndex) this.#places.push({ letter: end + this.#from, index: base + at, length: 1 });
      nextIndex = base + at + 1;
      values[end++] = value;
    }
    this.#count = end + this.#from;
    this.#nextIndex = nextIndex;
    this.#end = nextIndex;
    if (this.#count - this.#decodedTo > BATCH) this.decode();
  }

  /** One letter that stands at `index`, over `length` bytes. */
  letter(value: number, index: number, length: number): void {
    this.#reserve(1);
    if (index !== this.#nextIndex || length !== 1) this.#places.push({ letter: this.#count, index, length });
    this.#end = index + length;
    this.#nextIndex = length === 1 ? this.#end : -1;
    this.#values[this.#count++ - this.#from] = value;
    if (length > 1) this.#spelledTo = this.#count;
    if (this.#count - this.#decodedTo > BATCH) this.decode();
  }

  /** How many letters stand for themselves since the last that was spelled. */
  get plainLetters(): number {
    return this.#count - this.#spelledTo;
  }

  /** Layer index of the first letter that is still remembered. */
  get firstIndex(): number {
    return this.#places[0]?.index ?? Number.POSITIVE_INFINITY;
  }

  /** `end` is the index after the last byte read. */
  partial(end: number): number {
    let first = Number.POSITIVE_INFINITY;
    for (const phase of PHASES) {
      const partial = this.#phases[phase]!.partial();
      if (partial !== Number.POSITIVE_INFINITY) first = Math.min(first, this.#startOf(letterOf(phase, partial)));
      // Four or six bits of a byte not yet complete, in a letter that the next must follow directly.
      const bits = this.#count > phase ? ((this.#count - phase) * 6) % 8 : 0;
      if (bits < 4 || end !== this.#end) continue;
      const top = (this.#values[this.#count - 1 - this.#from]! & ((1 << bits) - 1)) << (8 - bits);
      if (this.#firstBytes.subarray(top, top + (1 << (8 - bits))).includes(1)) first = Math.min(first, this.#startOf(this.#count - 1));
    }
    return first;
  }

  /** Forgets the letters that no occurrence still under way can hold. */
  prune(): void {
    let needed = this.#count - 4;
    for (const phase of PHASES) {
      const partial = this.#phases[phase]!.partial();
      if (partial !== Number.POSITIVE_INFINITY) needed = Math.min(needed, letterOf(phase, partial));
    }
    const unneeded = needed - this.#from;
    if (unneeded > (this.#count - this.#from) / 2) {
      this.#values.copyWithin(0, unneeded, this.#count - this.#from);
      this.#from = needed;
    }
    const places = this.#placeOf(needed);
    if (places > this.#places.length / 2) this.#places = this.#places.slice(places);
  }

  /** The letters end here. So few that none of them can be part of a value are not decoded at all. */
  finish(): void {
    if (this.#decodedTo > 0 || this.#count >= MIN_LETTERS) {
      this.decode();
      for (const phase of PHASES) this.#phases[phase]!.finish();
    }
    this.#done.fill(0);
    this.#decodedTo = 0;
    this.#spelledTo = 0;
    this.#from = 0;
    this.#count = 0;
    this.#places = [];
    this.#nextIndex = -1;
  }

  #reserve(letters: number): void {
    const needed = this.#count - this.#from + letters;
    if (needed > this.#values.length) {
      const grown = new Uint8Array(needed * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
  }

  decode(): void {
    if (this.#decodedTo === this.#count) return;
    this.#decodedTo = this.#count;
    for (const phase of PHASES) {
      const total = Math.floor((Math.max(0, this.#count - phase) * 3) / 4);
      const done = this.#done[phase]!;
      if (total === done) continue;
      if (this.#decoded.length < total - done + 3) this.#decoded = new Uint8Array((total - done + 3) * 2);
      const written = decodeBytes(this.#values, letterOf(phase, done) - this.#from, done % 3, total - done, this.#decoded);
      this.#done[phase] = total;
      this.#phases[phase]!.read(this.#decoded, 0, written);
    }
  }

  #placeOf(letter: number): number {
    let low = 0;
    let high = this.#places.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#places[middle]!.letter <= letter) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  #startOf(letter: number): number {
    const place = this.#places[this.#placeOf(letter)]!;
    return place.index + letter - place.letter;
  }

  #endOf(letter: number): number {
    const place = this.#places[this.#placeOf(letter)]!;
    return place.index + letter - place.letter + place.length - 1;
  }

  #originOf(phase: number): Origin {
    const origin = this.#origin;
    const first = (index: number) => letterOf(phase, index);
    /** Whether the first letter of a match from byte `from` on stays: a stream would have to hold back too much that is none. */
    const skipsFirst = (from: number) => {
      const letter = first(from);
      return from % 3 === 2 || !this.#mayBegin(this.#byteAt(phase, from)) || this.#startOf(letter + 1) !== this.#endOf(letter) + 1;
    };
    return {
      start: (index) => origin.start(this.#startOf(first(index))),
      span: (from, to) => {
        const letter = first(from);
        const begin = skipsFirst(from) ? letter + 1 : letter;
        const span = origin.span(this.#startOf(begin), this.#endOf(first(to) + 1));
        // Two values that touch share a letter of base64, at the outermost level.
        const shared = begin === letter && from % 3 > 0 && span.start === span.sharedEnd;
        return shared ? { ...span, sharedEnd: origin.span(this.#startOf(letter), this.#endOf(letter)).end } : span;
      },
      form: (inner: Form, from, to) => {
        const lead = LEAD_BITS[from % 3]!;
        const trail = TRAIL_BITS[to % 3]!;
        const decoded = new Uint8Array(to - from + 4);
        decodeBytes(this.#values, first(from) - this.#from, from % 3, to - from + 1, decoded);
        const skips = skipsFirst(from);
        const firstValue = this.#values[first(from) - this.#from]!;
        const form: Form = {
          kind: "base64",
          lead,
          leadValue: firstValue >> (6 - lead),
          trail,
          trailValue: this.#values[first(to) + 1 - this.#from]! & ((1 << trail) - 1),
          skipsFirst: skips,
          shown: firstValue & ((1 << (6 - lead)) - 1),
          decoded: decoded.subarray(0, to - from + 1),
          inner,
        };
        return origin.form(form, this.#startOf(first(from) + (skips ? 1 : 0)), this.#endOf(first(to) + 1));
      },
    };
  }

  #mayBegin(byte: number): boolean {
    return this.#firstBytes[byte] === 1;
  }

  #byteAt(phase: number, index: number): number {
    const out = new Uint8Array(1);
    decodeBytes(this.#values, letterOf(phase, index) - this.#from, index % 3, 1, out);
    return out[0]!;
  }
}

/** The letter that holds the first bits of byte `index`, when groups begin at letter `phase`. */
const letterOf = (phase: number, index: number): number => phase + 4 * Math.floor(index / 3) + (index % 3);

/** Decodes `count` bytes from the letter at `at`, which holds the first bits of a byte that is `third` (0 to 2) in its group. */
function decodeBytes(values: Uint8Array, at: number, third: number, count: number, out: Uint8Array): number {
  let letter = at;
  let place = third;
  let written = 0;
  while (written < count) {
    if (place === 0 && count - written >= 3) {
      for (; count - written >= 3; letter += 4) {
        const bits = (values[letter]! << 18) | (values[letter + 1]! << 12) | (values[letter + 2]! << 6) | values[letter + 3]!;
        out[written++] = bits >> 16;
        out[written++] = (bits >> 8) & 255;
        out[written++] = bits & 255;
      }
      continue;
    }
    const one = values[letter]!;
    const two = values[letter + 1]!;
    if (place === 0) out[written++] = (one << 2) | (two >> 4);
    else if (place === 1) out[written++] = ((one & 15) << 4) | (two >> 2);
    else out[written++] = ((one & 3) << 6) | two;
    letter += place === 2 ? 2 : 1;
    place = place === 2 ? 0 : place + 1;
  }
  return written;
}
