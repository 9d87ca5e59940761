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
