import type { Form } from "./form.ts";
import { sextets } from "./letters.ts";
import type { Decoded, Origin, Search } from "./search.ts";

/** Letters in the encoding of the shortest pattern, at the worst alignment: ⌈64 bits / 6⌉ less a letter shared at each end. */
export const MIN_LETTERS = 10;
/** Letters are decoded when so many have come together, or when the bytes at hand end. */
const BATCH = 4096;

/** Letter `letter` of a stretch stands at layer index `index`, over `length` bytes, and so on one for one where `length` is 1. */
interface Place {
  readonly letter: number;
  readonly index: number;
  readonly length: number;
}

const PHASES = [0, 1, 2, 3] as const;
const LEAD_BITS = [0, 2, 4] as const;
const TRAIL_BITS = [4, 2, 0] as const;

/** One stretch of base64 letters, and what they decode to from each of the first four on. */
export class Stretch {
  readonly #origin: Origin;
  readonly #firstBytes: Uint8Array;
  readonly #heldByBits: boolean;
  readonly #phases: readonly Decoded[];
  readonly #done = [0, 0, 0, 0];
  /** The letters' values from letter `#from` on. */
  #values = new Uint8Array(64);
  #from = 0;
  #count = 0;
  #decodedTo = 0;
  #spelledTo = 0;
  readonly #places: Place[] = [];
  #nextIndex = -1;
  /** Index after the last letter. */
  #end = -1;
  #decoded = new Uint8Array(64);

  constructor(search: Search, depth: number, origin: Origin) {
    this.#origin = origin;
    this.#firstBytes = search.firstBytes;
    this.#heldByBits = search.heldByBits;
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

  /**
   * Layer index of the first letter that is still remembered and from which on every byte is decoded, however the groups lie: of those before
   * the fourth letter some begin in a group that began before the stretch.
   */
  get firstDecoded(): number {
    return this.#count > 3 ? Math.max(this.#places[0]!.index, this.#startOf(3)) : Number.POSITIVE_INFINITY;
  }

  /** `end` is the index after the last byte read. */
  partial(end: number): number {
    let first = Number.POSITIVE_INFINITY;
    for (const phase of PHASES) {
      const partial = this.#phases[phase]!.partial();
      if (partial !== Number.POSITIVE_INFINITY) first = Math.min(first, this.#startOf(letterOf(phase, partial)));
      // Four or six bits of a byte not yet complete, in a letter that the next must follow directly.
      const bits = this.#count > phase ? ((this.#count - phase) * 6) % 8 : 0;
      if (bits < 4 || end !== this.#end || !this.#heldByBits) continue;
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
    if (places > this.#places.length / 2) this.#places.splice(0, places);
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
    this.#places.length = 0;
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
