import type { Automaton } from "./automaton.ts";
import type { Form } from "./form.ts";

/** Bytes `start` (inclusive) to `end` (exclusive) of the input, counted from its beginning. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** End of the first letter, where bits of it belong to what stands before (base64); else `start`. */
  readonly sharedEnd: number;
}

/** An occurrence of a value. */
export interface Match extends Span {
  readonly entry: number;
  readonly form: Form;
}

/** Reads a stream, and says what values occur in it. */
export interface Reading {
  read(bytes: Uint8Array): void;
  /** Position of the first byte that may belong to an occurrence not yet complete; Infinity when there is none. */
  partial(): number;
  /** The stream ends: completes what needs no more bytes, and starts afresh. */
  finish(): void;
}

/** What all layers of a masker share. */
export interface Search {
  readonly automaton: Automaton;
  /** 1 for each byte that begins a value. */
  readonly firstBytes: Uint8Array;
  /** Values of digits only, by entry. */
  readonly numbers: ReadonlyMap<string, number>;
  /** A partial match that spans more bytes of its layer than this is given up. */
  readonly maxSpan: number;
  /** Whether part of a byte (a letter of base64, one digit) already counts as a value's possible beginning. */
  readonly heldByBits: boolean;
  /** Tell which runs of an encoding need not be read; `undefined` where all are. */
  readonly scouts: RunScouts | undefined;
  found(match: Match): void;
  /** A layer inside `depth` base64 or hex encodings. */
  layer(depth: number, origin: Origin): Decoded;
}

/** Looks through runs of one encoding, by what their bytes are, for places where a value may begin. */
export interface RunScout {
  /** Where the run ended, or the part of it, that was looked through last. */
  readonly end: number;
  /**
   * Where in the run that `at` is in a value may begin, at the earliest; `Number.MAX_SAFE_INTEGER` where none does before `end`.
   *
   * @param from bytes before it are not looked at, but for what decides how later ones are read
   * @param to end of the bytes at hand
   * @param goesOn more bytes may follow
   */
  look(bytes: Uint8Array, from: number, at: number, to: number, goesOn: boolean): number;
}

/** The scouts of each encoding, by how many encodings are around its runs. */
export interface RunScouts {
  base64(depth: number): RunScout;
  hex(depth: number): RunScout;
  decimal(): RunScout;
}

/** A layer as those see it who fill it. Indices count the layer's bytes since its beginning. */
export interface Decoded {
  /** Reads `bytes[from]` to `bytes[to - 1]`. */
  read(bytes: Uint8Array, from: number, to: number): void;
  /** Index of the first byte that may belong to an occurrence not yet complete; Infinity when there is none. */
  partial(): number;
  /** The layer's bytes end here: completes what needs no more bytes, and starts afresh. */
  finish(): void;
}

/** Where a layer's bytes come from. */
export interface Origin {
  /** Input position of the first byte that the layer's byte came from. */
  start(index: number): number;
  /** What to replace for the layer's bytes `first` to `last`. */
  span(first: number, last: number): Span;
  /** `form`, as found in those bytes, seen from the input. */
  form(form: Form, first: number, last: number): Form;
}

/** The input itself. */
export const input: Origin = {
  start: (index) => index,
  span: (first, last) => ({ start: first, end: last + 1, sharedEnd: first }),
  form: (form) => form,
};
