import { type CheckResponse, Decision } from "@sallyport/contracts";

/** What an asker may rely on, or that it may rely on nothing. */
export type Reading =
  | { readonly kind: "allowed" }
  | { readonly kind: "needs-approval"; readonly approvals: CheckResponse["approvalsNeeded"] }
  | { readonly kind: "denied"; readonly reason: "DENIED_BY_POLICY" | "POLICY_ERROR" }
  /** Not an answer: refuse with POLICY_UNAVAILABLE. */
  | { readonly kind: "unclear"; readonly why: string };

/**
 * Reads a response strictly: a decision that is absent (0), unknown, or at odds with the rest of the message is no answer,
 * and an obligation that the asker does not know means that the permission does not hold.
 * @param obligations names that the asker fulfils
 */
export function readResponse(response: CheckResponse, obligations: ReadonlySet<string> = new Set()): Reading {
  switch (response.decision) {
    case Decision.ALLOW:
      if (response.reason !== "ALLOWED" || response.policyVersion === "")
        return { kind: "unclear", why: "an allow without its reason or policy version" };
      if (response.links.length === 0 || response.links.some((link) => link.decision !== Decision.ALLOW || link.errors.length > 0)) {
        return { kind: "unclear", why: "an allow that does not hold for every link" };
      }
      if (response.obligations.some(({ name }) => !obligations.has(name))) return { kind: "denied", reason: "POLICY_ERROR" };
      return { kind: "allowed" };
    case Decision.NEEDS_APPROVAL:
      return response.approvalsNeeded.length === 0 ||
        response.approvalsNeeded.some(({ quorum, reviewers }) => quorum < 1 || reviewers.length === 0)
        ? { kind: "unclear", why: "an approval is needed and nobody can give it" }
        : { kind: "needs-approval", approvals: response.approvalsNeeded };
    case Decision.DENY:
      return { kind: "denied", reason: response.reason === "POLICY_ERROR" ? "POLICY_ERROR" : "DENIED_BY_POLICY" };
    default:
      return { kind: "unclear", why: "the decision is absent or unknown" };
  }
}
