/** Longest fact that policies look at, in characters. */
const maxFactLength = 16_384;

/** Most texts in one set: what the largest ceiling names. */
const maxListLength = 64 * 256;

export type Facts = { kind: "facts"; facts: Readonly<Record<string, string | readonly string[]>> } | { kind: "malformed"; message: string };

/**
 * The facts that policies may read for this action; any other is left out, `approvals` always. An empty text or set is an
 * absent fact, so that `context has method` is never true of nothing. What is there but no text, `null` included, is an error.
 */
export function factsFor(
  { facts: names, lists }: { readonly facts: readonly string[]; readonly lists: readonly string[] },
  given: Readonly<Record<string, unknown>>,
): Facts {
  const facts: Record<string, string | readonly string[]> = {};
  for (const name of [...names, ...lists]) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined || value === "" || (lists.includes(name) && Array.isArray(value) && value.length === 0)) continue;
    if (value === null) return { kind: "malformed", message: `missing_attribute: the fact "${name}" is null` };
    if (names.includes(name)) {
      if (!isFact(value)) {
        return { kind: "malformed", message: `type_error: the fact "${name}" is not a text of at most ${maxFactLength} characters` };
      }
      facts[name] = value;
    } else {
      if (!Array.isArray(value) || value.length > maxListLength || !value.every(isFact)) {
        return { kind: "malformed", message: `type_error: the fact "${name}" is not a list of at most ${maxListLength} texts` };
      }
      facts[name] = [...new Set(value)];
    }
  }
  return { kind: "facts", facts };
}

const isFact = (value: unknown): value is string => typeof value === "string" && value.length <= maxFactLength && value.isWellFormed();
