/** What a detector looks at: so much of the text as is there. */
export interface Text {
  readonly bytes: Buffer;
  /** Index after the last byte. */
  readonly end: number;
  /** Whether nothing follows. */
  readonly final: boolean;
}

/** There is no such thing here. */
export const NONE = -1;
/** It depends on what follows. */
export const MORE = -2;

/** Indexed by byte: those that the test passes. */
export const table = (test: RegExp): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (test.test(String.fromCharCode(byte)) ? 1 : 0));

/** Letters, digits and `_` of ASCII: what stands directly before or after makes a number or token another one. */
export const word = table(/^\w$/);
export const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 48 && byte <= 57;
export const isWord = (byte: number | undefined): boolean => byte !== undefined && word[byte] === 1;

/** Whether a number may begin here: no word, decimal fraction or longer number goes on. */
export const beginsNumber = ({ bytes }: Text, at: number): boolean =>
  !((bytes[at - 1] === 46 || bytes[at - 1] === 45) && isDigit(bytes[at - 2]));

/** Whether a number that ends before `at` is whole: `MORE`, `NONE`, or `at`. */
export function endsNumber({ bytes, end, final }: Text, at: number): number {
  if (at < end) {
    if (word[bytes[at]!] === 1) return NONE;
    if (bytes[at] !== 46 && bytes[at] !== 45) return at;
    if (at + 1 < end) return isDigit(bytes[at + 1]) ? NONE : at;
  }
  return final ? at : MORE;
}

/** Whether `expected` stands at `at`: its end, `NONE`, or `MORE` where the text ends within it. */
export function startsWith({ bytes, end, final }: Text, at: number, expected: string): number {
  for (let each = 0; each < expected.length; each++) {
    if (at + each >= end) return final ? NONE : MORE;
    if (bytes[at + each] !== expected.charCodeAt(each)) return NONE;
  }
  return at + expected.length;
}
