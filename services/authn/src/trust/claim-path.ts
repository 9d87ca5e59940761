import { type Claims, refused } from "./outside-token.ts";

/**
 * A claim by its name, or a nested one by the names on the way to it, parted by dots. As names may hold dots themselves
 * (`kubernetes.io`), at each step the longest name that is there counts.
 */
export function claimAt(claims: Claims, path: string): unknown {
  const steps = path.split(".");
  let value: unknown = claims;
  for (let from = 0; from < steps.length; ) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    let to = steps.length;
    while (to > from && !Object.hasOwn(value, steps.slice(from, to).join("."))) to--;
    if (to === from) return undefined;
    value = (value as Record<string, unknown>)[steps.slice(from, to).join(".")];
    from = to;
  }
  return value;
}

/**
 * A template with the claims that it names filled in; undefined where one of them is absent. A claim that holds what follows it in the
 * template is refused: two different tokens must not make the same name.
 */
export function fillTemplate(template: string, claims: Claims): string | undefined {
  let filled = "";
  for (const [, literal, path, next] of template.matchAll(/([^{}]*)(?:\{([^{}]+)\}(?=([^{]?)))?/g)) {
    filled += literal ?? "";
    if (path === undefined) continue;
    const value = claimAt(claims, path);
    if (value === undefined || value === null || value === "") return undefined;
    if (typeof value !== "string" && !Number.isSafeInteger(value)) throw refused(`its \`${path}\` claim is no text`);
    if (next !== undefined && next !== "" && String(value).includes(next))
      throw refused(`its \`${path}\` claim has a ${next} in it, which would make it read as another`);
    filled += String(value);
  }
  return filled;
}
