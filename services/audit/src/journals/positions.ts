/** How far the evidence log holds a journal. */
export interface Position {
  /** Its last entry in the log; 0 while there is none. */
  readonly sequence: bigint;
  /** Chain value of that entry. */
  readonly chain: Uint8Array;
  /** Index of that entry in the log; -1 while there is none. */
  readonly index: number;
}
