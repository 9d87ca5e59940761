import { MORE, NONE, startsWith, type Text, table } from "./text.ts";

const maxLabelBytes = 64;
/** The longest key that is taken for one, in bytes (RSA of 16,384 bits has about 13,000). */
export const MAX_KEY_BYTES = 32_768;
/** Base64, line breaks also as escapes, and the fields of RFC 1421 §4.6 (`Proc-Type: 4,ENCRYPTED`). */
const within = table(/^[A-Za-z0-9+/=\s\\:,]$/);

/** The end of `-----BEGIN … PRIVATE KEY…-----` (RFC 7468) at `at`. */
export function keyStart(text: Text, at: number): number {
  return boundaryEnd(text, at, "-----BEGIN ");
}

/** @returns where the key goes on to from `at`, and whether it ends there */
export function keyContinues(text: Text, at: number): { end: number; done: boolean } {
  const { bytes, end, final } = text;
  let next = at;
  while (next < end) {
    const byte = bytes[next]!;
    // A string of JSON ends.
    if (byte === 11 || byte === 12) return { end: next, done: true };
    if (within[byte] === 1) {
      next++;
      continue;
    }
    if (byte !== 45) return { end: next, done: true };
    if (next + 1 >= end) return { end: final ? next + 1 : next, done: final };
    if (bytes[next + 1] !== 45) {
      next++;
      continue;
    }
    const stop = boundaryEnd(text, next, "-----END ");
    if (stop === MORE) return { end: next, done: false };
    return { end: stop === NONE ? next : stop, done: true };
  }
  return { end: next, done: final };
}

function boundaryEnd(text: Text, at: number, start: string): number {
  const from = startsWith(text, at, start);
  if (from < 0) return from;
  const { bytes, end, final } = text;
  let next = from;
  while (next < end && next - from <= maxLabelBytes && bytes[next] !== 45) {
    const byte = bytes[next]!;
    if (!(byte === 32 || (byte >= 65 && byte <= 90) || (byte >= 48 && byte <= 57))) return NONE;
    next++;
  }
  if (next >= end) return final ? NONE : MORE;
  if (!bytes.toString("latin1", from, next).includes("PRIVATE KEY")) return NONE;
  return startsWith(text, next, "-----");
}
