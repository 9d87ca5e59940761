/** The longest match that a pattern may have, in bytes; a longer one could not be waited for in a stream. */
export const MAX_MATCH_BYTES = 1024;

/** Why a pattern cannot be looked for; `message` is a sentence's end. */
export class PatternProblem extends Error {
  override readonly name = "PatternProblem";
}

const zeroWidth = new Set(["b", "B"]);
const classes = new Set([..."dDsSwW"]);
const characters = new Set([..."tfv"]);
const lineBreaks = "must not hold a line break: a match lies within one line";

/**
 * The length of the longest text that a pattern of RE2's syntax matches. Understands the part of that syntax of which it is certain, and
 * refuses the rest.
 *
 * @throws PatternProblem
 */
export function longestMatch(pattern: string): number {
  const reader = new Reader(pattern);
  const length = reader.alternatives();
  if (!reader.atEnd) throw new PatternProblem("has a bracket that closes nothing");
  return length;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  alternatives(): number {
    let longest = 0;
    for (;;) {
      longest = Math.max(longest, this.#sequence());
      if (!this.#take("|")) return longest;
    }
  }

  #sequence(): number {
    let length = 0;
    while (!this.atEnd && this.#peek() !== "|" && this.#peek() !== ")") length += this.#repeated(this.#atom());
    return length;
  }

  #atom(): number {
    const character = this.#next();
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return this.#class();
      case "\\":
        return this.#escape();
      case "^":
      case "$":
        return 0;
      case "*":
      case "+":
      case "?":
        throw new PatternProblem(`has a ${character} that repeats nothing`);
      default:
        if (character === "\n" || character === "\r") throw new PatternProblem(lineBreaks);
        return 1;
    }
  }

  #group(): number {
    if (this.#take("?")) {
      const kind = /^(?::|P?<[A-Za-z_][A-Za-z0-9_]*>|i(?::|\)))/.exec(this.#text.slice(this.#at))?.[0];
      if (kind === undefined) throw new PatternProblem("must have no groups but (…), (?:…), (?<name>…), (?i) and (?i:…)");
      this.#at += kind.length;
      if (kind === "i)") return 0;
    }
    const length = this.alternatives();
    if (!this.#take(")")) throw new PatternProblem("has a bracket that is not closed");
    return length;
  }

  #class(): number {
    const negated = this.#take("^");
    const inside = this.#at;
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      if (this.atEnd) throw new PatternProblem("has a [ that is not closed");
      const posix = /^\[:\^?[a-z]+:\]/.exec(this.#text.slice(this.#at))?.[0];
      if (posix !== undefined) this.#at += posix.length;
      else if (this.#next() === "\\") this.#escape();
    }
    if (negated && inside === this.#at) throw new PatternProblem("has an empty class");
    this.#at++;
    return 1;
  }

  #escape(): number {
    if (this.atEnd) throw new PatternProblem("ends in a backslash");
    const character = this.#next();
    if (zeroWidth.has(character)) return 0;
    if (classes.has(character) || characters.has(character)) return 1;
    if (character === "n" || character === "r") throw new PatternProblem(lineBreaks);
    const hex = character === "x" ? /^[0-9A-Fa-f]{2}/.exec(this.#text.slice(this.#at))?.[0] : undefined;
    if (hex !== undefined && Number.parseInt(hex, 16) < 128 && !["0a", "0d"].includes(hex.toLowerCase())) {
      this.#at += 2;
      return 1;
    }
    if (/[A-Za-z0-9]/.test(character)) throw new PatternProblem(`must not use \\${character}`);
    return 1;
  }

  #repeated(length: number): number {
    let most = 1;
    const count = /^\{(\d+)(?:,(\d*))?\}/.exec(this.#text.slice(this.#at));
    if (count !== null) {
      this.#at += count[0].length;
      most = count[2] === undefined ? Number(count[1]) : count[2] === "" ? Number.POSITIVE_INFINITY : Number(count[2]);
    } else if (this.#take("*") || this.#take("+")) most = Number.POSITIVE_INFINITY;
    else this.#take("?");
    if (most === Number.POSITIVE_INFINITY)
      throw new PatternProblem("must say how long a match can be: write {1,64} in place of +, and {0,64} in place of *");
    if (most !== 1 || count !== null) this.#take("?");
    return length * most;
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #next(): string {
    return this.#text[this.#at++] ?? "";
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }
}
