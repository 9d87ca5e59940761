import { Action } from "@sallyport/contracts";
import { actionNamed } from "@sallyport/identity";
import type { PolicyBundle } from "../bundle/policy-bundle.ts";
import { catalogueOf } from "../catalogue.ts";
import { decide } from "../decide/decide.ts";
import type { Decision } from "../decide/decision.ts";
import type { PolicyTest, PolicyTests } from "./policy-tests.ts";

export interface TestResult {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  /** What was expected and what was decided instead; undefined where it passed. */
  readonly failure: string | undefined;
  readonly decision: Decision;
}

const outcomes = { allowed: "allow", denied: "deny", "needs-approval": "needs-approval", error: "error" } as const;

/** Runs a file's tests against a bundle. */
export const runPolicyTests = (bundle: PolicyBundle, { file, catalogue, tests }: PolicyTests): TestResult[] => {
  const known = catalogueOf({ secrets: catalogue.secrets, targets: Object.fromEntries(catalogue.targets.map((name) => [name, {}])) });
  return tests.map((test) => {
    const { action, secret, target, facts, approvals } = test.given;
    const requestDigest = "0".repeat(64);
    const grants = approvals.map((name) => ({ name, requestDigest, expiresAt: 1 }));
    const question = { chain: test.chain, action: actionNamed(action) ?? Action.UNSPECIFIED, secret, target, facts, requestDigest, grants };
    const decision = decide(bundle, known, question, 0);
    return { file, line: test.line, name: test.name, failure: failureOf(test, decision), decision };
  });
};

/** Policies that decided in no test, by `@id`. */
export function untestedPolicies(bundle: PolicyBundle, results: readonly TestResult[]): string[] {
  const tested = new Set(results.flatMap(({ decision }) => decision.links.flatMap((link) => link.determining)));
  return bundle.policies.map(({ id }) => id).filter((id) => !tested.has(id));
}

function failureOf(test: PolicyTest, decision: Decision): string | undefined {
  const outcome = outcomes[decision.verdict];
  if (outcome !== test.expect) return `expected ${test.expect}, got ${outcome}: ${decision.sentence}`;
  const differs = (expected: readonly string[] | undefined, got: readonly string[], what: string) =>
    expected !== undefined && expected.toSorted().join() !== got.toSorted().join()
      ? `expected ${what} [${expected.join(", ")}], got [${got.join(", ")}]`
      : undefined;
  const needed = decision.verdict === "needs-approval" ? decision.approvals.map(({ name }) => name) : [];
  return differs(test.policies, decision.determining, "policies") ?? differs(test.needs, needed, "approvals");
}
