/** What is wrong with a log. The first thing that is, by index. */
export interface Finding {
  readonly what:
    | "edited"
    | "dropped"
    | "inserted"
    | "duplicated"
    | "reordered"
    | "truncated"
    /** Two signed heads that cannot both be true. */
    | "forked"
    /** A checkpoint in the folder that the key did not sign. */
    | "checkpoint"
    /** Only the derived `.leaves` differ; the records are as they were signed. */
    | "leaves";
  /** The record's index in the log. */
  readonly index: number;
  /** Where it cannot be told more exactly: one of the records from `index` to this one. */
  readonly to?: number;
  /** The record's `metadata.uid`, where it can still be read. */
  readonly uid?: string | undefined;
  /** With `forked`: both heads. */
  readonly heads?: readonly [string, string];
  /** One sentence for a person. */
  readonly sentence: string;
}

export type Verification =
  | {
      readonly kind: "intact";
      readonly origin: string;
      /** Records. */
      readonly size: number;
      /** RFC 6962 root over all of them, base64. */
      readonly root: string;
      /** Signed checkpoints that were checked. */
      readonly checkpoints: number;
      /** Records after the last checkpoint: not signed yet. */
      readonly unsigned: number;
      /** Whether a checkpoint from outside the folder was checked: without one, truncation cannot be excluded. */
      readonly anchored: boolean;
      readonly sentence: string;
    }
  | { readonly kind: "altered"; readonly origin: string; readonly finding: Finding; readonly sentence: string }
  /** There is nothing to verify, or not with what was given. */
  | { readonly kind: "unverifiable"; readonly sentence: string };
