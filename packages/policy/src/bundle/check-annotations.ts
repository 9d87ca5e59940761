import { type Policy, type PolicyProblem, problemIn } from "@sallyport/cedar";
import { allowanceAnnotation } from "./allowance.ts";
import { approvalAnnotations } from "./approval-rule.ts";
import { delegationLimitProblem, obligationPrefix } from "./obligation.ts";

const forReaders: ReadonlySet<string> = new Set(["id", "title", "description", "owner", allowanceAnnotation]);

/** Refuses an annotation that nothing reads: `@quorom("2")` would otherwise mean a quorum of one. */
export function checkAnnotations(policy: Policy): PolicyProblem[] {
  for (const [name, value] of policy.annotations) {
    const at = (message: string) => [problemIn(policy, message, (token) => token.text === name)];
    if (name.startsWith(obligationPrefix)) {
      if (policy.effect === "forbid") return at(`@${name} goes with a permit; a forbid obliges nobody`);
      const problem = delegationLimitProblem(name.slice(obligationPrefix.length), value);
      if (problem !== undefined) return at(`@${name} ${problem}`);
    } else if (!forReaders.has(name) && !approvalAnnotations.has(name)) {
      return at(`@${name} means nothing here; known are @${[...forReaders, ...approvalAnnotations].join(", @")} and @${obligationPrefix}…`);
    }
  }
  return [];
}
