import type { RunScout } from "./search.ts";

/** What stands so many bytes before decides how letters and digits are read. */
export const CONTEXT_BYTES = 48;

/**
 * Start of the next stretch of at least `shortest` bytes whose `kinds` are not 0, or of one that reaches `to`, where it may go on; `to` when
 * there is none. Looks from a stretch's end backwards, so in other text few bytes are looked at.
 */
export function nextStretch(bytes: Uint8Array, from: number, to: number, kinds: Uint8Array, shortest: number): number {
  let start = from;
  while (start < to) {
    let back = Math.min(start + shortest, to) - 1;
    while (back >= start && kinds[bytes[back]!] !== 0) back--;
    if (back < start) return start;
    start = back + 1;
  }
  return to;
}

/**
 * As `nextStretch`, but for those in which no value begins, as `scout` tells; and of a longer one only what a value may be in, and `context` bytes
 * before.
 */
export function nextToRead(
  bytes: Uint8Array,
  from: number,
  to: number,
  kinds: Uint8Array,
  shortest: number,
  scout: RunScout | undefined,
  context: number,
): number {
  let at = from;
  for (;;) {
    at = nextStretch(bytes, at, to, kinds, shortest);
    if (at === to || scout === undefined) return at;
    const found = scout.look(bytes, at, at, to, true);
    if (found <= to) return Math.max(at, found - context);
    at = Math.min(to, scout.end);
  }
}
