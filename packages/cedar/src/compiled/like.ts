import type { Expr } from "../expression.ts";

/** Cedar's pattern: literal characters and wildcards, each of which stands for any text, the empty one too. */
export type Pattern = Extract<Expr, { like: unknown }>["like"]["pattern"];

/** A test of a text by a pattern, without backtracking over more than the last wildcard: linear in practice, never exponential. */
export function matcherOf(pattern: Pattern): (text: string) => boolean {
  const parts: string[] = [""];
  for (const element of pattern) {
    if (element === "Wildcard") parts.push("");
    else parts[parts.length - 1] += element.Literal;
  }
  const first = parts[0] as string;
  if (parts.length === 1) return (text) => text === first;
  const last = parts.at(-1) as string;
  const middle = parts.slice(1, -1).filter((part) => part !== "");
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    // Leftmost placement of each part leaves the most room for those after it.
    const end = text.length - last.length;
    let at = first.length;
    for (const part of middle) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
