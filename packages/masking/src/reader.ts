/**
 * Reads a stream and says what values occur in it: the scout looks for places where one may begin, and from there on a layer reads, until
 * nothing is under way any more. What it finds is what the layer alone would find.
 */
import type { Layer } from "./layer.ts";
import type { MaskSet } from "./mask-set.ts";
import { NumberReader } from "./number-reader.ts";
import type { Match, Reading } from "./search.ts";
import { searchOf } from "./search-of.ts";

/** Bytes that a layer is shown before the first in which a value may begin: what decides how those are read. */
const CONTEXT_BYTES = 48;
/** Fewer bytes than this at once are read by the layer. */
const FEW_BYTES = 128;
/** How far a layer reads before it is seen whether anything is under way, at first and at most. */
const FIRST_STEP = 32;
const LAST_STEP = 4096;

export class Reader implements Reading {
  readonly #layer: Layer;
  readonly #numbers: NumberReader | undefined;
  readonly #set: MaskSet;
  /** Position of the next byte. */
  #position = 0;
  /** The layer reads on; else nothing is under way. */
  #reading = true;
  /** Nothing that begins before this position is found any more. */
  #floor = 0;
  #step = FIRST_STEP;
  /** The last bytes before `#position`. */
  readonly #context = new Uint8Array(CONTEXT_BYTES);
  #contextLength = 0;

  /** `undefined` where the set holds no values. */
  static of(set: MaskSet, found: (match: Match) => void): Reader | undefined {
    return set.automaton === undefined ? undefined : new Reader(set, found);
  }

  private constructor(set: MaskSet, found: (match: Match) => void) {
    this.#set = set;
    const later = (match: Match) => {
      if (match.start >= this.#floor) found(match);
    };
    this.#layer = searchOf(set, later, { numbers: false })!;
    if (set.numbers.size > 0) this.#numbers = new NumberReader({ found }, set.numbers);
  }

  /** Reads the next bytes. */
  read(bytes: Uint8Array): void {
    const begin = this.#position;
    const { length } = bytes;
    this.#numbers?.read(bytes, 0, length, begin);
    let at = 0;
    if (length < FEW_BYTES && this.#reading) {
      this.#layer.read(bytes, 0, length);
      at = length;
    }
    while (at < length) at = this.#reading ? this.#readOn(bytes, at) : this.#lookOn(bytes, at);
    this.#position = begin + length;
    this.#remember(bytes);
  }

  /** Position of the first byte that may belong to an occurrence not yet complete; Infinity when there is none. */
  partial(): number {
    const first = this.#reading ? this.#layer.partial() : Number.POSITIVE_INFINITY;
    return Math.min(first, this.#numbers?.partial() ?? first);
  }

  /** The stream ends: completes what needs no more bytes, and starts afresh. */
  finish(): void {
    this.#layer.finish();
    this.#numbers?.finish();
    this.#reading = true;
    this.#position = 0;
    this.#floor = 0;
    this.#contextLength = 0;
  }

  /** The layer reads a step, and is left when nothing is under way, or only what began after the step before. */
  #readOn(bytes: Uint8Array, at: number): number {
    const to = Math.min(bytes.length, at + this.#step);
    this.#layer.read(bytes, at, to);
    this.#step = Math.min(LAST_STEP, this.#step * 2);
    if (bytes.length - to < FEW_BYTES) return to;
    const partial = this.#layer.partial();
    if (partial === Number.POSITIVE_INFINITY) {
      this.#reading = false;
      this.#floor = this.#position + to;
      return to;
    }
    const again = partial - this.#position;
    if (again <= at || again < CONTEXT_BYTES) return to;
    this.#reading = false;
    this.#floor = partial;
    return again;
  }

  #lookOn(bytes: Uint8Array, at: number): number {
    const next = this.#set.scout.next(bytes, at, bytes.length, true);
    if (next - at > this.#step) this.#step = FIRST_STEP;
    this.#reading = true;
    this.#floor = this.#position + next;
    const before = Math.min(CONTEXT_BYTES, next);
    const earlier = next < CONTEXT_BYTES ? Math.min(CONTEXT_BYTES - next, this.#contextLength) : 0;
    this.#layer.startAt(this.#position + next - before - earlier);
    if (earlier > 0) this.#layer.read(this.#context, CONTEXT_BYTES - earlier, CONTEXT_BYTES);
    if (before > 0) this.#layer.read(bytes, next - before, next);
    return next;
  }

  #remember(bytes: Uint8Array): void {
    const context = this.#context;
    const count = Math.min(CONTEXT_BYTES, bytes.length);
    context.copyWithin(0, count);
    for (let each = 1; each <= count; each++) context[CONTEXT_BYTES - each] = bytes[bytes.length - each]!;
    this.#contextLength = Math.min(CONTEXT_BYTES, this.#contextLength + count);
  }
}
