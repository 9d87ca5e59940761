/** What the scout has to know of single bytes and of pairs of them, whatever is looked for. */
import { base64Kinds } from "../base64-reader.ts";
import { decimalKinds } from "../decimal-reader.ts";
import { hexKinds } from "../hex-reader.ts";
import { BACKSPACE, isSkipped } from "../letters.ts";
import { spellingLead } from "../spelling.ts";

/** No place. */
export const NONE = Number.MAX_SAFE_INTEGER;

/** The bits of a pair, which it has where both of its bytes have them. */
export const PLAIN = 1;
export const BASE64 = 2;
export const HEX = 4;
export const DECIMAL = 8;

/** A byte that cannot be read as it stands only, inside `depth` encodings: it may spell another, be stepped over, or take one back. */
export const isSpecial: readonly Uint8Array[] = [0, 1, 2].map((depth) =>
  Uint8Array.from({ length: 256 }, (_, byte) => (isSkipped(byte) || byte === BACKSPACE || (depth < 2 && spellingLead(byte) > 0) ? 1 : 0)),
);

/** By depth and byte, its bits: PLAIN, and which readers read on over it, of those that there are at that depth. */
export const bitsOf: readonly Uint8Array[] = [0, 1, 2].map((depth) =>
  Uint8Array.from({ length: 256 }, (_, byte) => {
    let bits = isSpecial[depth]![byte] === 1 ? 0 : PLAIN;
    if (depth < 2 && base64Kinds[byte] !== 0) bits |= BASE64;
    if (depth < 2 && hexKinds[byte] !== 0) bits |= HEX;
    if (depth === 0 && decimalKinds[byte] !== 0) bits |= DECIMAL;
    return bits;
  }),
);

/** By depth, the bits of each pair of bytes. */
export const pairBits: readonly Uint8Array[] = bitsOf.map((bits) =>
  Uint8Array.from({ length: 65536 }, (_, pair) => bits[pair & 255]! & bits[pair >> 8]!),
);

/**
 * By the depth inside, and by two letters of base64 (12 bits), the bits PLAIN, BASE64 and HEX of the byte that they decode to: as the
 * first byte of a group of three in bits 0 to 2, as the second in 3 to 5, as the third in 6 to 8.
 */
export const groupBits: readonly Uint16Array[] = bitsOf.map((bits) =>
  Uint16Array.from({ length: 4096 }, (_, pair) => {
    const [one, two] = [pair >> 6, pair & 63];
    const first = bits[(one << 2) | (two >> 4)]!;
    const second = bits[((one & 15) << 4) | (two >> 2)]!;
    const third = bits[((one & 3) << 6) | two]!;
    return (first & 7) | ((second & 7) << 3) | ((third & 7) << 6);
  }),
);
