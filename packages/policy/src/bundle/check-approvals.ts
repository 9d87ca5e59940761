import { nodesOf, type Policy, type PolicyProblem, problemIn, type Token } from "@sallyport/cedar";
import { approvalAnnotations } from "./approval-rule.ts";

const inContext = (token: Token) => token.kind !== "sign" && (token.text === "approvals" || /^"approvals"$|\\/.test(token.text));
const atContext = (token: Token) => token.text === "context";

/**
 * Approval is a liftable forbid and nothing else: `forbid … unless { context.approvals.contains("name") }` with
 * `@approval("name")`. Any other sight of `context.approvals`, or of `context` as a whole, is refused, so that an approval can
 * never widen what the permits allow.
 */
export function checkApprovals(policy: Policy): PolicyProblem[] {
  const lifters = policy.json.conditions.filter((condition) => condition.kind === "unless" && liftedBy(condition.body) !== undefined);
  const expected = policy.annotations.get("approval");
  const [lifter] = lifters;
  if (lifter === undefined) {
    const annotation = [...policy.annotations.keys()].find((name) => approvalAnnotations.has(name));
    if (annotation !== undefined) {
      return [
        problemIn(policy, `@${annotation} belongs to a forbid with \`unless { context.approvals.contains("…") }\`, which this is not`),
      ];
    }
  } else if (policy.effect !== "forbid" || lifters.length > 1) {
    return [problemIn(policy, "an approval lifts a forbid, one approval each; it never permits anything", inContext)];
  } else if (liftedBy(lifter.body) !== expected) {
    const wanted = expected === undefined ? 'there is no @approval("…")' : `@approval says "${expected}"`;
    return [problemIn(policy, `the approval asked for is "${liftedBy(lifter.body)}" and ${wanted}; they must be the same`, inContext)];
  }
  const others = policy.json.conditions.filter((condition) => condition !== lifter);
  for (const { node, parent } of nodesOf(others)) {
    if (node.Var !== "context") continue;
    const [attribute] = [parent?.attr].flat();
    if (typeof attribute !== "string" || parent?.left !== node) {
      return [problemIn(policy, "read `context` attribute by attribute; as a whole it cannot be compared or passed on", atContext)];
    }
    if (attribute === "approvals") {
      return [
        problemIn(
          policy,
          'approvals are read only by `forbid … unless { context.approvals.contains("…") }`, alone in its braces',
          inContext,
        ),
      ];
    }
  }
  return [];
}

/** The approval that `context.approvals.contains("…")` asks for; undefined for any other expression. */
function liftedBy(body: unknown): string | undefined {
  const { contains } = body as {
    contains?: { left?: { "."?: { left?: { Var?: unknown }; attr?: unknown } }; right?: { Value?: unknown } };
  };
  const read = contains?.left?.["."];
  if (read?.left?.Var !== "context" || read.attr !== "approvals") return undefined;
  return typeof contains?.right?.Value === "string" ? contains.right.Value : undefined;
}
