import { bitsOf, NONE } from "./kinds.ts";

const bits = bitsOf[0]!;

/** Where the run of bytes that have `bit` begins that the byte at `at` is in, but not before `least`. */
export function runStart(bytes: Uint8Array, at: number, least: number, bit: number): number {
  let start = at;
  while (start > least && (bits[bytes[start - 1]!]! & bit) !== 0) start--;
  return start;
}

/** Where that run, which begins at `start`, ends before it has `shortest` bytes; `NONE` where it has them, or may with what follows `end`. */
export function shortRunEnd(
  bytes: Uint8Array,
  start: number,
  at: number,
  end: number,
  goesOn: boolean,
  shortest: number,
  bit: number,
): number {
  const enough = start + shortest;
  const short = runEnd(bytes, at, Math.min(end, enough), bit);
  return short < enough && (short < end || !goesOn) ? short : NONE;
}

/** Where that run ends, but not after `most`. */
function runEnd(bytes: Uint8Array, at: number, most: number, bit: number): number {
  let end = at;
  while (end < most && (bits[bytes[end]!]! & bit) !== 0) end++;
  return end;
}
