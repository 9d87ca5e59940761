import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import type { Policy } from "./policy.ts";
import { offsetOfByte, problemAt } from "./policy-file.ts";
import type { PolicyProblem } from "./problem.ts";

/** Policies as the engine wants them: by id, since it ignores `@id` itself. */
export const staticPolicies = (policies: Iterable<Policy>): Record<string, string> =>
  Object.fromEntries(Array.from(policies, (policy) => [policy.id, policy.text]));

/** Validates strictly: whatever reads an attribute that may be absent, or names what the schema does not, is an error. */
export function validatePolicies(
  policies: ReadonlyMap<string, Policy>,
  schema: string,
): { errors: PolicyProblem[]; warnings: PolicyProblem[] } {
  const answer = cedar.validate({
    schema,
    policies: { staticPolicies: staticPolicies(policies.values()) },
    validationSettings: { mode: "strict" },
  });
  if (answer.type === "failure") {
    const message = answer.errors.map((error) => error.message).join("; ");
    return { errors: [{ file: ".", line: 1, column: 1, message }], warnings: [] };
  }
  const problemOf = ({ policyId, error }: cedar.ValidationError): PolicyProblem => {
    const message = [error.message, error.help].filter(Boolean).join("; ");
    const policy = policies.get(policyId);
    if (policy === undefined) return { file: ".", line: 1, column: 1, message };
    const [place] = error.sourceLocations ?? [];
    return problemAt(policy.file, policy.offset + (place === undefined ? 0 : offsetOfByte(policy.text, place.start)), message);
  };
  const places = new Set<string>();
  const unique = (problem: PolicyProblem) => {
    // One mistake is told once, not once for each action that the policy covers.
    const place = `${problem.file}:${problem.line}:${problem.column}`;
    return places.has(place) ? false : places.add(place);
  };
  return { errors: answer.validationErrors.map(problemOf).filter(unique), warnings: answer.validationWarnings.map(problemOf) };
}
