import { printable, Refusal } from "@sallyport/contracts";
import { canonicalPath } from "./path.ts";

/** A method and a path template of a target's configuration: `{name}` stands for one segment that is not empty. */
export interface AllowRule {
  readonly method: string;
  readonly path: string;
}

const placeholder = /^\{[A-Za-z][A-Za-z0-9_]*\}$/;

/** Whether a rule allows the canonical path: segment by segment, so that no prefix ever widens. */
export const allows = (rules: readonly AllowRule[], method: string, path: string): boolean =>
  rules.some((rule) => rule.method === method && matches(rule.path, path));

function matches(template: string, path: string): boolean {
  const wanted = template.split("/");
  const segments = path.split("/");
  return (
    wanted.length === segments.length &&
    wanted.every((part, index) => {
      const segment = segments[index] as string;
      return placeholder.test(part) ? segment !== "" : part === segment;
    })
  );
}

/**
 * Refuses rules that say less than they seem to, or could be taken for "everything": no path, no segment, wildcards, braces
 * that are no placeholder, a spelling that no canonical path has. Called when the configuration is loaded.
 *
 * @param where the rules' place in the configuration: `targets.orders-api.allow`
 * @throws Refusal INVALID_REQUEST
 */
export function checkRules(rules: readonly AllowRule[], where: string): void {
  if (rules.length === 0) throw wrong(where, "is empty: name at least one method and path");
  for (const [index, rule] of rules.entries()) checkRule(rule, `${where}[${index}]`);
}

function checkRule({ method, path }: AllowRule, where: string): void {
  if (typeof method !== "string" || !/^[A-Z]{1,16}$/.test(method))
    throw wrong(`${where}.method`, "must be one method in capitals, such as GET");
  if (typeof path !== "string" || !path.startsWith("/")) throw wrong(`${where}.path`, "must start with /");
  if (path === "/") throw wrong(`${where}.path`, "must have a segment: / alone looks as if it meant every path");
  const segments = path.slice(1).split("/");
  for (const segment of segments) {
    if (/[*[\]?#]/.test(segment)) throw wrong(`${where}.path`, "has no wildcards or query: write {name} for one segment");
    if (/[{}]/.test(segment) && !placeholder.test(segment)) throw wrong(`${where}.path`, "takes {name} for a whole segment only");
  }
  const literal = `/${segments.map((segment) => (placeholder.test(segment) ? "x" : segment)).join("/")}`;
  if (canonicalOf(literal, where) !== literal)
    throw wrong(`${where}.path`, "must be written plainly: only what needs it is percent-encoded, in capitals");
}

function canonicalOf(literal: string, where: string): string {
  try {
    return canonicalPath(literal).path;
  } catch (error) {
    throw wrong(`${where}.path`, `can match no request: ${(error as Error).message}`);
  }
}

const wrong = (where: string, what: string) => new Refusal("INVALID_REQUEST", `${printable(where)} ${what}.`);
