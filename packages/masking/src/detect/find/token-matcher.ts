import { charsets, type Token } from "../detectors/tokens.ts";
import { isWord, MORE, NONE, startsWith, type Text, table } from "./text.ts";

const tables = Object.fromEntries(Object.entries(charsets).map(([name, test]) => [name, table(test)])) as Record<
  Token["charset"],
  Uint8Array
>;

/** Looks for credentials by what they begin with. */
export class TokenMatcher {
  /** By their first two bytes, the longest prefix first. */
  readonly #byStart = new Map<number, Token[]>();
  readonly #starts = new Uint8Array(65_536);
  /** Of the last match. */
  token: Token | undefined;

  constructor(tokens: readonly Token[]) {
    for (const token of tokens.toSorted((one, other) => other.prefix.length - one.prefix.length)) {
      const start = (token.prefix.charCodeAt(0) << 8) | token.prefix.charCodeAt(1);
      this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), token]);
      this.#starts[start] = 1;
    }
  }

  /** @returns the end of what is certain of it: a token without `max` goes on for as long as its charset does */
  match(text: Text, at: number): number {
    const { bytes, end, final } = text;
    if (at + 1 >= end) return final ? NONE : MORE;
    const start = (bytes[at]! << 8) | bytes[at + 1]!;
    if (this.#starts[start] !== 1) return NONE;
    let open = false;
    for (const token of this.#byStart.get(start)!) {
      const from = startsWith(text, at, token.prefix);
      if (from === NONE) continue;
      if (from === MORE) {
        open = true;
        continue;
      }
      const stop = runEnd(text, from, tables[token.charset], token.max ?? token.min);
      if (stop - from < token.min) {
        if (stop >= end && !final) open = true;
        continue;
      }
      if (token.max !== undefined) {
        if (stop >= end && !final) {
          open = true;
          continue;
        }
        if (stop < end && isWord(bytes[stop])) continue;
      }
      this.token = token;
      return stop;
    }
    return open ? MORE : NONE;
  }

  static table(charset: Token["charset"]): Uint8Array {
    return tables[charset];
  }
}

/** The end of the bytes from `at` on that are in the table, of at most `max`. */
export function runEnd({ bytes, end }: Text, at: number, charset: Uint8Array, max: number): number {
  const stop = Math.min(end, at + max);
  let next = at;
  while (next < stop && charset[bytes[next]!] === 1) next++;
  return next;
}
