import { isPhone } from "../checks/phone.ts";
import { isDigit, isWord, MORE, NONE, type Text, table } from "./text.ts";

const maxBytes = 26;
const fewestDigits = 7;
const between = table(/^[ ()./-]$/);
/** As Americans write their own: (212) 555-0123. */
const american = /^\((\d{3})\)[ -]?(\d{3})[ .-](\d{4})(?!\w)/;
const americanBytes = 15;

/** A number in international form (E.123), which begins with `+` at `at`, not within a word; `value` is told its digits. */
export function phoneEnd({ bytes, end, final }: Text, at: number, value: (digits: string) => void): number {
  if (bytes[at - 1] === 43) return NONE;
  let digits = "";
  const ends: [end: number, digits: string][] = [];
  let next = at + 1;
  let gap = 0;
  for (; next < end && next - at <= maxBytes && digits.length <= 15; next++) {
    const byte = bytes[next]!;
    if (isDigit(byte)) {
      digits += String.fromCharCode(byte);
      gap = 0;
      if (digits.length >= fewestDigits && (next + 1 >= end || !isWord(bytes[next + 1]))) ends.push([next + 1, digits]);
      continue;
    }
    if (digits === "" || ++gap > 2 || between[byte] !== 1) break;
    // +49 (0)30: the zero is for calls from within the country.
    if (byte === 40 && bytes[next + 1] === 48 && bytes[next + 2] === 41) {
      next += 2;
      gap = 1;
    }
  }
  if (next + 2 >= end && !final) return MORE;
  for (const [stop, candidate] of ends.toReversed()) {
    if (!isPhone(candidate)) continue;
    value(candidate);
    return stop;
  }
  return NONE;
}

/** A number of the North American plan with its area code in brackets, which begin at `at`. */
export function americanEnd({ bytes, end, final }: Text, at: number, value: (digits: string) => void): number {
  if (end - at <= americanBytes && !final) return at + 1 >= end || isDigit(bytes[at + 1]) ? MORE : NONE;
  const written = american.exec(bytes.toString("latin1", at, Math.min(end, at + americanBytes)));
  if (written === null || !isPhone(`1${written.slice(1).join("")}`)) return NONE;
  value(`1${written.slice(1).join("")}`);
  return at + written[0].length;
}
