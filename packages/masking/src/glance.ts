/** What the bytes at a spelling's lead spell, where that can be told from a few bytes at hand without following it byte by byte. */
import { bareHtmlNames, htmlNames, LONGEST_HTML_NAME } from "./html-names.ts";
import { AMPERSAND, BACKSLASH, isAlphanumeric, nibbles, PERCENT } from "./letters.ts";
import { CONTROL_LETTERS, spellingLead } from "./spelling.ts";

/** It spells nothing: the lead is a byte like any other. */
export const NO_SPELLING = -1;
/** Follow it byte by byte: the bytes end, it may be spelled itself, or it is one of the rarer kinds. */
export const UNCLEAR = -2;
/** It spells a character that is not ASCII and not silent, whose UTF-8 begins with byte `WIDE - result`. */
export const WIDE = -256;

/** The ASCII byte that `bytes` spell at `at`, or `NO_SPELLING`, `UNCLEAR`, or at most `WIDE`. A byte's spelling is `glanceLength` long. */
export function glance(bytes: Uint8Array, at: number, to: number): number {
  switch (bytes[at]) {
    case PERCENT:
      return glancePercent(bytes, at, to);
    case BACKSLASH:
      return glanceBackslash(bytes, at, to);
    case AMPERSAND:
      return glanceAmpersand(bytes, at, to);
    default:
      return UNCLEAR;
  }
}

/** Length of the spelling that `glance` last returned a byte or character for. */
export let glanceLength = 0;

function glancePercent(bytes: Uint8Array, at: number, to: number): number {
  if (at + 2 >= to) return UNCLEAR;
  const first = bytes[at + 1]!;
  const second = bytes[at + 2]!;
  const high = nibbles[first]!;
  if (high < 0) return first === 0x75 || first === 0x55 || spellingLead(first) > 0 ? UNCLEAR : NO_SPELLING;
  const low = nibbles[second]!;
  if (low < 0) return spellingLead(second) > 0 ? UNCLEAR : NO_SPELLING;
  glanceLength = 3;
  const byte = (high << 4) | low;
  return byte < 0x80 ? byte : WIDE - byte;
}

function glanceBackslash(bytes: Uint8Array, at: number, to: number): number {
  if (at + 1 >= to) return UNCLEAR;
  const next = bytes[at + 1]!;
  if (next === 0x75) return glanceUnicode(bytes, at, to);
  if (next === 0x78 || next === 0x55 || (next >= 0x30 && next <= 0x37) || next >= 0x80 || next < 0x20 || spellingLead(next) > 0) {
    return UNCLEAR;
  }
  glanceLength = 2;
  return CONTROL_LETTERS[next]!;
}

function glanceUnicode(bytes: Uint8Array, at: number, to: number): number {
  if (at + 5 >= to) return UNCLEAR;
  let unit = 0;
  for (let each = at + 2; each < at + 6; each++) {
    const digit = nibbles[bytes[each]!]!;
    if (digit < 0) return UNCLEAR;
    unit = (unit << 4) | digit;
  }
  glanceLength = 6;
  return unit < 0x80 ? unit : wide(unit);
}

function glanceAmpersand(bytes: Uint8Array, at: number, to: number): number {
  if (at + 1 < to && bytes[at + 1] === 0x23) return glanceReference(bytes, at, to);
  let end = at + 1;
  let hash = 0;
  while (end < to && end <= at + LONGEST_HTML_NAME && isAlphanumeric(bytes[end]!)) hash = (Math.imul(hash, 31) + bytes[end++]!) | 0;
  if (end === to) return UNCLEAR;
  const next = bytes[end]!;
  if (end === at + 1) return spellingLead(next) > 0 ? UNCLEAR : NO_SPELLING;
  if (spellingLead(next) > 0 && end <= at + LONGEST_HTML_NAME) return UNCLEAR;
  const length = end - at - 1;
  if (next !== 0x3b && (length < 2 || length > 4)) return NO_SPELLING;
  const name = nameByHash.get(hash);
  if (name === undefined || name !== Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, length).toString("latin1")) return NO_SPELLING;
  if (next !== 0x3b) return bareHtmlNames.has(name) ? UNCLEAR : NO_SPELLING;
  glanceLength = length + 2;
  return htmlNames.get(name)!;
}

const nameByHash: ReadonlyMap<number, string> = new Map(
  [...htmlNames.keys()].map((name) => [Array.from(Buffer.from(name)).reduce((hash, byte) => (Math.imul(hash, 31) + byte) | 0, 0), name]),
);

/** `&#39;` and `&#x27;`, with the semicolon and up to six digits. */
function glanceReference(bytes: Uint8Array, at: number, to: number): number {
  const hex = at + 2 < to && (bytes[at + 2]! | 0x20) === 0x78;
  const first = at + (hex ? 3 : 2);
  let value = 0;
  let end = first;
  for (; end < to && end < first + 7; end++) {
    const digit = nibbles[bytes[end]!]!;
    if (digit < 0 || (!hex && digit > 9)) break;
    value = value * (hex ? 16 : 10) + digit;
  }
  if (end >= to || end === first || end === first + 7 || bytes[end] !== 0x3b) return UNCLEAR;
  glanceLength = end + 1 - at;
  return value < 0x80 ? value : wide(value);
}

/** As `WIDE`; silent characters, and what is no character or beyond the basic plane, are for `Spelling` to read. */
function wide(unit: number): number {
  const silent =
    unit === 0xad ||
    unit === 0x34f ||
    unit === 0x180e ||
    (unit >= 0x2000 && unit <= 0x206f) ||
    (unit >= 0xfe00 && unit <= 0xfe0f) ||
    unit === 0xfeff;
  if (silent || unit > 0xffff || (unit >= 0xd800 && unit <= 0xdfff)) return UNCLEAR;
  return WIDE - (unit < 0x800 ? 0xc0 | (unit >> 6) : 0xe0 | (unit >> 12));
}

/**
 * Whether none of the bytes of a spelling that may begin at `at` can be spelled itself. Where an outer spelling begins, an inner one with
 * plain bytes would come to the same.
 */
export function isSpelledPlainly(bytes: Uint8Array, at: number, to: number): boolean {
  const next = bytes[at + 1]!;
  let length = 1;
  if (bytes[at] === PERCENT) length = next === 0x75 || next === 0x55 ? 12 : 2;
  else if (bytes[at] === AMPERSAND) length = LONGEST_HTML_NAME + 1;
  else if (bytes[at] !== BACKSLASH) return false;
  else if (next === 0x75 || next === 0x55) length = 12;
  else if (next === 0x78 || (next >= 0x30 && next <= 0x37)) length = 10;
  if (at + length >= to) return false;
  for (let each = at + 1; each <= at + length; each++) if (spellingLead(bytes[each]!) > 0) return false;
  return true;
}

/** Whether a silent spelling (see `spelling.ts`) may begin at `at`: false when the next byte rules it out. */
export function maybeSilent(bytes: Uint8Array, at: number, to: number): boolean {
  if (at + 1 >= to) return true;
  const next = bytes[at + 1]!;
  switch (bytes[at]) {
    case 0xc2:
      return next === 0xad;
    case 0xcd:
      return next === 0x8f;
    case 0xe1:
      return next === 0xa0;
    case 0xe2:
      return next === 0x80 || next === 0x81 || spellingLead(next) === 1;
    case 0xef:
      return next === 0xb8 || next === 0xbb;
    default:
      return true;
  }
}
