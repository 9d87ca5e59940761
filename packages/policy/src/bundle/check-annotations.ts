import { type Policy, type PolicyProblem, problemIn } from "@sallyport/cedar";
import { approvalAnnotations } from "./approval-rule.ts";
import { obligationPrefix } from "./obligation.ts";

const forReaders: ReadonlySet<string> = new Set(["id", "title", "description", "owner"]);

/** Refuses an annotation that nothing reads: `@quorom("2")` would otherwise mean a quorum of one. */
export function checkAnnotations(policy: Policy): PolicyProblem[] {
  for (const name of policy.annotations.keys()) {
    const at = (message: string) => [problemIn(policy, message, (token) => token.text === name)];
    if (name.startsWith(obligationPrefix)) {
      if (policy.effect === "forbid") return at(`@${name} goes with a permit; a forbid obliges nobody`);
    } else if (!forReaders.has(name) && !approvalAnnotations.has(name)) {
      return at(`@${name} means nothing here; known are @${[...forReaders, ...approvalAnnotations].join(", @")} and @${obligationPrefix}…`);
    }
  }
  return [];
}
