/** A token of Cedar's concrete syntax, as far as finding places needs it. */
export interface Token {
  readonly kind: "word" | "string" | "sign";
  /** As written; a string with its quotes. */
  readonly text: string;
  /** In characters from the text's start. */
  readonly offset: number;
}

const tokenForm = /(?<skip>\s+|\/\/[^\n]*)|(?<string>"[^"\\]*(?:\\.[^"\\]*)*"?)|(?<word>[A-Za-z0-9_]+)|(?<sign>.)/gsy;

/**
 * The tokens of a policy text, without blanks and comments. It serves to find places only: what a policy *means* is told
 * by Cedar's own parser.
 */
export function* tokensOf(text: string): Generator<Token> {
  for (const match of text.matchAll(tokenForm)) {
    const groups = match.groups ?? {};
    if (groups.skip !== undefined) continue;
    const kind = groups.string !== undefined ? "string" : groups.word !== undefined ? "word" : "sign";
    yield { kind, text: match[0], offset: match.index };
  }
}

/** Where the first token stands that satisfies the test, or the start. */
export function offsetOfToken(text: string, test: (token: Token) => boolean): number {
  for (const token of tokensOf(text)) if (test(token)) return token.offset;
  return 0;
}
