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
  found(match: Match): void;
  /** A layer inside `depth` base64 or hex encodings. */
  layer(depth: number, origin: Origin): Decoded;
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
