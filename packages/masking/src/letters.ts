/** Bytes that masking looks at by name. */
export const BACKSPACE = 0x08;
export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
export const ESCAPE = 0x1b;
export const PERCENT = 0x25;
export const AMPERSAND = 0x26;
export const BACKSLASH = 0x5c;

/**
 * Bytes that never count: line breaks (a terminal's or an encoder's wrap) and NUL (every second byte of ASCII in UTF-16).
 * They are left out of the patterns and stepped over in the text, so a value is found with or without them.
 */
export const isSkipped = (byte: number): boolean => byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === 0;

/** A letter or digit of ASCII. */
export const isAlphanumeric = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);

/** First bytes of the UTF-8 forms of zero-width characters (U+00AD, U+034F, U+180E, U+200B…, U+FE0F, U+FEFF). */
export const ZERO_WIDTH_LEADS: readonly number[] = [0xc2, 0xcd, 0xe1, 0xe2, 0xef];

/** First bytes of a spelling that stands for another byte. */
export const SPELLING_LEADS: readonly number[] = [PERCENT, AMPERSAND, BACKSLASH];

/** 0–63 for a letter of base64 or base64url, else −1; the two alphabets may be mixed. */
export const sextets: Int8Array = (() => {
  const table = new Int8Array(256).fill(-1);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (let value = 0; value < 64; value++) table[alphabet.charCodeAt(value)] = value;
  table["-".charCodeAt(0)] = 62;
  table["_".charCodeAt(0)] = 63;
  return table;
})();

/** 0–15 for a hex digit of either case, else −1. */
export const nibbles: Int8Array = (() => {
  const table = new Int8Array(256).fill(-1);
  for (let value = 0; value < 16; value++) {
    const digit = value.toString(16);
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
})();
