/** What becomes of what was found. */
export type Action = "mask" | "hash" | "drop" | "refuse";

/** The strictest first: where several rules speak of the same text, the strictest counts. */
export const strictness: readonly Action[] = ["refuse", "drop", "mask", "hash"];

/** One stretch of text that a rule speaks of. A finder may report it before it knows its end. */
export interface Finding {
  /** Position of its first byte, counted from the beginning of the text. */
  readonly start: number;
  /** Position after its last byte so far. */
  end: number;
  readonly category: string;
  readonly action: Action;
  /** Whether `end` is the end. */
  done: boolean;
  /** What stands for it among equals, for `hash`: without the separators that people write. Filled in only for that action. */
  value: string;
  /** In place of a JSON value that is no string. */
  readonly bare?: boolean;
  /** Of `drop`: it is a member, which leaves nothing behind. */
  readonly member?: boolean;
}

/** Categories to look for, and what to do with each. */
export type Actions = ReadonlyMap<string, Action>;

/** Told of each finding once, in any order within what is not decided yet. */
export type Found = (finding: Finding) => void;

/** Of a hashed value no more than this is read, in bytes; what is longer is equal where its beginning is. */
export const MAX_VALUE_BYTES = 16_384;
