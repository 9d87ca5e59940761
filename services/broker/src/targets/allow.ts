import { printable, Refusal } from "@sallyport/contracts";
import { matchesTemplate, templateProblem } from "@sallyport/guardrails";
import { canonicalPath } from "./path.ts";

/** A method and a path template of a target's configuration: `{name}` stands for one segment that is not empty, `{name+}` at the end for one or more. */
export interface AllowRule {
  readonly method: string;
  readonly path: string;
}

/** Whether a rule allows the canonical path: segment by segment, so that no prefix ever widens. */
export const allows = (rules: readonly AllowRule[], method: string, path: string): boolean =>
  rules.some((rule) => rule.method === method && matchesTemplate(rule.path, path));

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
  const problem = templateProblem(path);
  if (problem !== undefined) throw wrong(`${where}.path`, problem);
  const literal = path.replaceAll(/\{[^{}/]*\}/g, "x");
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
