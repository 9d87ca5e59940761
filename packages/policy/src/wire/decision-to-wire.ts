import type { MessageInitShape } from "@bufbuild/protobuf";
import { type CheckResponseSchema, Decision as WireDecision } from "@sallyport/contracts";
import type { Decision, Verdict } from "../decide/decision.ts";

const wireDecisions = {
  allowed: WireDecision.ALLOW,
  denied: WireDecision.DENY,
  "needs-approval": WireDecision.NEEDS_APPROVAL,
  error: WireDecision.DENY,
} as const;
const reasons = {
  allowed: "ALLOWED",
  denied: "DENIED_BY_POLICY",
  "needs-approval": "APPROVAL_REQUIRED",
  error: "POLICY_ERROR",
} as const satisfies Record<Verdict, string>;

/** A decision as `sallyport.policy.v1.CheckResponse`. */
export const decisionToWire = (decision: Decision) =>
  ({
    decision: wireDecisions[decision.verdict],
    reason: reasons[decision.verdict],
    sentence: decision.sentence,
    determiningPolicies: [...decision.determining],
    policyVersion: decision.policyVersion,
    approvalsNeeded:
      decision.verdict === "needs-approval" ? decision.approvals.map((rule) => ({ ...rule, reviewers: [...rule.reviewers] })) : [],
    links: decision.links.map((link) => ({
      linkId: link.link,
      decision: wireDecisions[link.verdict],
      determiningPolicies: [...link.determining],
      errors: link.errors.map(({ policy, message }) => (policy === undefined ? message : `${policy}: ${message}`)),
    })),
    obligations: decision.verdict === "allowed" ? decision.obligations.map(({ name, value }) => ({ name, parameters: { value } })) : [],
  }) satisfies MessageInitShape<typeof CheckResponseSchema>;
