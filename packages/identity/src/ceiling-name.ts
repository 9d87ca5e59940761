import { printable, Refusal } from "@sallyport/contracts";
import { isVisible } from "./name.ts";

/**
 * A name in a ceiling: exact (`prod/orders/api`), everything below a segment (`prod/*`), or everything (`*`). An asterisk
 * anywhere else, an empty segment, `.` and `..` are refused, so that no spelling means more than it shows.
 * @throws Refusal INVALID_REQUEST
 */
export function parseCeilingName(text: string): string {
  if (text === "*") return text;
  const stem = text.endsWith("/*") ? text.slice(0, -2) : text;
  const segments = stem.split("/");
  if (isVisible(text) && !/[*#\\]/.test(stem) && segments.every((segment) => segment !== "" && segment !== "." && segment !== ".."))
    return text;
  throw new Refusal(
    "INVALID_REQUEST",
    `"${printable(text, 60)}" cannot stand in a ceiling: write an exact name, a name that ends in \`/*\`, or \`*\` for all.`,
  );
}

/** Whether every name that `inner` means is one that `outer` means; `inner` may itself be an exact name. */
export function nameCovers(outer: string, inner: string): boolean {
  if (outer === "*" || outer === inner) return true;
  // `prod/*` covers `prod/a`, `prod/a/b` and `prod/a/*`, but neither `prod` nor `production/x`: the slash stays in the prefix.
  return outer.endsWith("/*") && inner !== "*" && inner.startsWith(outer.slice(0, -1));
}
