import type { EvaluationError } from "@sallyport/cedar";
import type { ApprovalRule } from "../bundle/approval-rule.ts";
import type { Obligation } from "../bundle/obligation.ts";

export type Verdict = "allowed" | "denied" | "needs-approval" | "error";

/** What policy says of one link. */
export interface LinkDecision {
  /** The link's id. */
  readonly link: string;
  readonly verdict: Verdict;
  /** By `@id`; none where nothing permits. */
  readonly determining: readonly string[];
  readonly errors: readonly EvaluationError[];
}

interface Common {
  /** For a person: which link, which policy, what to do. Safe for a terminal. */
  readonly sentence: string;
  /** By `@id`, over all links; where policies could not be evaluated, those. */
  readonly determining: readonly string[];
  readonly policyVersion: string;
  /** In the chain's order. */
  readonly links: readonly LinkDecision[];
}

/** What policy says of the whole chain. Only `allowed` allows, and only with its obligations met. */
export type Decision =
  | (Common & { readonly verdict: "allowed"; readonly obligations: readonly Obligation[] })
  | (Common & { readonly verdict: "denied" })
  /** Denied only by forbids that approvals lift; each of them is needed. */
  | (Common & { readonly verdict: "needs-approval"; readonly approvals: readonly ApprovalRule[] })
  /** Something could not be evaluated: a denial with a reason of its own. */
  | (Common & { readonly verdict: "error" });
