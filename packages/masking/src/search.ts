import type { Automaton } from "./automaton.ts";
import type { Form } from "./form.ts";

/** An occurrence of a value: `start` (inclusive) and `end` (exclusive) count bytes of the input since its beginning. */
export interface Match {
  readonly start: number;
  readonly end: number;
  readonly entry: number;
  readonly form: Form;
  /** End of the first letter, where that is shared with what stands before (base64); else `start`. */
  readonly sharedEnd: number;
}

/** What all layers of a masker share. */
export interface Search {
  readonly automaton: Automaton;
  /** Bytes that may begin a value in a layer of this depth, in any encoding seen there. */
  readonly firstBytes: readonly Uint8Array[];
  /** Values of digits only, by entry. */
  readonly numbers: ReadonlyMap<string, number>;
  /** A partial match that spans more bytes of its layer than this is given up. */
  readonly maxSpan: number;
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
  /** Input position after the last one. */
  end(index: number): number;
  /** `form`, as found in bytes `first` to `last` of the layer, seen from the input. */
  form(form: Form, first: number, last: number): Form;
  /** End of the first letter that byte `first` came from, when bits of it belong to the byte before; else its start. */
  sharedEnd(first: number): number;
}

/** The input itself. */
export const input: Origin = {
  start: (index) => index,
  end: (index) => index + 1,
  form: (form) => form,
  sharedEnd: (index) => index,
};
