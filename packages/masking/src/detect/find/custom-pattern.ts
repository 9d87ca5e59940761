import { RE2JS } from "re2js";
import { longestMatch, MAX_MATCH_BYTES, PatternProblem } from "./pattern-length.ts";

/** A pattern of an operator's own, for RE2's linear-time engine. */
export interface CustomPattern {
  /** Of one line. */
  readonly line: RE2JS;
  /** Of several lines: finds something wherever `line` would find something in one of them. */
  readonly lines: RE2JS;
  /** Bytes of the longest match. */
  readonly longest: number;
}

/** @throws PatternProblem */
export function customPattern(pattern: string): CustomPattern {
  if (pattern === "" || pattern.length > 1000) throw new PatternProblem("must be an RE2 pattern of 1 to 1000 characters");
  if (!/^[\x20-\x7e]*$/.test(pattern)) throw new PatternProblem("must be of ASCII characters: it is looked for in bytes");
  const longest = longestMatch(pattern);
  if (longest > MAX_MATCH_BYTES)
    throw new PatternProblem(`must not match more than ${MAX_MATCH_BYTES} characters; this one matches up to ${longest}`);
  let line: RE2JS;
  let lines: RE2JS;
  try {
    line = RE2JS.compile(pattern);
    lines = RE2JS.compile(pattern, RE2JS.MULTILINE);
  } catch {
    throw new PatternProblem("must be an RE2 pattern (no look-around, no back references)");
  }
  if (line.test("")) throw new PatternProblem("must not match nothing");
  return { line, lines, longest };
}

/** Why a pattern cannot be looked for; a sentence's end. */
export function customPatternProblem(pattern: string): string | undefined {
  try {
    customPattern(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof PatternProblem) return error.message;
    throw error;
  }
}
