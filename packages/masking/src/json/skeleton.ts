import { nibbles } from "../letters.ts";

/** Where in JSON bytes begin: in a string or not, and how many bytes of an escape stand before them. */
export interface JsonState {
  readonly string: boolean;
  readonly escaped: number;
}

/** What a byte outside strings is: nothing there, white space, punctuation, or part of a number or of `true`, `false`, `null`. */
export const OUTSIDE = 0;
const SPACE = 1;
const PUNCTUATION = 2;
const TOKEN = 3;
export const outsideKinds = new Uint8Array(256);
for (const byte of " \t\r\n") outsideKinds[byte.charCodeAt(0)] = SPACE;
for (const byte of "{}[]:,") outsideKinds[byte.charCodeAt(0)] = PUNCTUATION;
for (const byte of "0123456789+-.eEtrufalsn") outsideKinds[byte.charCodeAt(0)] = TOKEN;

export const isJsonSpace = (byte: number): boolean => outsideKinds[byte] === SPACE;

/** How many bytes of an escape were read after one more; 0 when it is complete. */
export function escapeAfter(escaped: number, byte: number): number {
  if (escaped === 1) return byte === 0x75 ? 2 : 0;
  return nibbles[byte]! < 0 || escaped === 5 ? 0 : escaped + 1;
}

const keywords = ["true", "false", "null"];
/** Digits of a number, or what a span's edge left of one. */
const numeric = /^[-+]?\d*\.?\d*(?:[eE][-+]?\d*)?$/u;

/**
 * What keeps JSON valid when `bytes` of it go: their punctuation, quotes and keywords, and numbers with each digit a 1. `placeholder` stands in
 * the first string that begins in them; of what is one whole object or array, in place of it all. `undefined` where they are no JSON.
 */
export function skeletonOf(
  bytes: Uint8Array,
  from: JsonState,
  placeholder: string | undefined,
): { readonly text: string; readonly state: JsonState } | undefined {
  let { string, escaped } = from;
  let text = "";
  let token = "";
  let tokens = 0;
  let wanted = placeholder;
  let depth = 0;
  /** Whether it is one object or array so far. */
  let whole = placeholder !== undefined && !string;
  const endToken = (last: boolean): boolean => {
    if (token === "") return true;
    const edge = last || tokens === 0;
    const keyword = edge ? keywords.some((each) => each.includes(token)) : keywords.includes(token);
    if (!keyword && !numeric.test(token)) return false;
    text += keyword ? token : token.replaceAll(/\d/gu, "1");
    token = "";
    tokens++;
    return true;
  };
  for (const byte of bytes) {
    if (string) {
      if (escaped > 0) escaped = escapeAfter(escaped, byte);
      else if (byte === 0x5c) escaped = 1;
      else if (byte === 0x0a) return undefined;
      else if (byte === 0x22) {
        string = false;
        text += '"';
      }
      continue;
    }
    const letter = String.fromCharCode(byte);
    if (outsideKinds[byte] === TOKEN) {
      token += letter;
      whole &&= depth > 0;
      continue;
    }
    if (!endToken(false)) return undefined;
    tokens++;
    if (byte === 0x22) {
      string = true;
      whole &&= depth > 0;
      text += `"${wanted ?? ""}`;
      wanted = undefined;
      continue;
    }
    if (outsideKinds[byte] === OUTSIDE) return undefined;
    text += letter;
    if (byte === 0x7b || byte === 0x5b) {
      if (depth++ === 0 && tokens > 1) whole = false;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (outsideKinds[byte] === PUNCTUATION && depth === 0) whole = false;
  }
  if (!endToken(true)) return undefined;
  if (whole && depth === 0 && !string && text !== "") text = `"${placeholder}"`;
  return { text, state: { string, escaped } };
}
