import type { PolicyProblem } from "./problem.ts";

/** A file of policies. */
export interface PolicyFile {
  /** As it is named to people: relative to the bundle's folder. */
  readonly name: string;
  readonly text: string;
}

/** A problem at a character of a file. */
export function problemAt(file: PolicyFile, offset: number, message: string): PolicyProblem {
  const before = file.text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { file: file.name, line: before.split("\n").length, column: offset - lineStart + 1, message };
}

/** Cedar tells places in UTF-8 bytes; this is the same place in the string. */
export const offsetOfByte = (text: string, byte: number): number => Buffer.from(text).subarray(0, byte).toString().length;
