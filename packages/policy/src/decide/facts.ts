/** Longest fact that policies look at, in characters. */
const maxFactLength = 16_384;

export type Facts = { kind: "facts"; facts: Readonly<Record<string, string>> } | { kind: "malformed"; message: string };

/**
 * The facts that policies may read for this action; any other is left out, `approvals` always. An empty text is an absent
 * fact, so that `context has method` is never true of nothing. What is there but no text, `null` included, is an error.
 */
export function factsFor(names: readonly string[], given: Readonly<Record<string, unknown>>): Facts {
  const facts: Record<string, string> = {};
  for (const name of names) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined || value === "") continue;
    if (value === null) return { kind: "malformed", message: `missing_attribute: the fact "${name}" is null` };
    if (typeof value !== "string" || value.length > maxFactLength || !value.isWellFormed()) {
      return { kind: "malformed", message: `type_error: the fact "${name}" is not a text of at most ${maxFactLength} characters` };
    }
    facts[name] = value;
  }
  return { kind: "facts", facts };
}
