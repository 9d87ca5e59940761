import { type Action, type Approval, type CheckResponse, type DecisionService, Refusal } from "@sallyport/contracts";
import { type Chain, chainToWire } from "@sallyport/identity";
import { readResponse } from "@sallyport/policy";
import type { Client } from "@sallyport/service";
import type { ApprovalRule } from "../reviews/review.ts";

/** What is asked of policy. */
export interface Question {
  readonly chain: Chain;
  readonly action: Action;
  readonly secret: string;
  readonly target: string;
  /** Facts of the request: `method`, `path`, … */
  readonly context: Record<string, string>;
  /** SHA-256 of the canonical request, hex, where approvals are held. */
  readonly digest?: string;
  readonly approvals?: readonly { name: string; digest: string; expiresAt: number }[];
}

/** Policy's answer. */
export type Answer =
  | { kind: "allowed"; policies: readonly string[]; policyVersion: string }
  | { kind: "needs-approval"; policies: readonly string[]; policyVersion: string; rules: readonly ApprovalRule[] }
  | { kind: "denied"; reason: "DENIED_BY_POLICY" | "POLICY_ERROR"; sentence: string; policies: readonly string[]; policyVersion: string };

/** Asks policy; the in-process engine will stand behind the same interface. */
export interface Decisions {
  ask(question: Question, signal?: AbortSignal): Promise<Answer>;
}

/** Milliseconds that an answer may take. */
const askTimeoutMs = 2000;

/** Asks the pdp over its RPC. Whatever is not a clear answer is a refusal: time-outs, broken replies, an absent decision. */
export class RemoteDecisions implements Decisions {
  readonly #client: Client<typeof DecisionService>;

  constructor(client: Client<typeof DecisionService>) {
    this.#client = client;
  }

  async ask(question: Question, signal?: AbortSignal): Promise<Answer> {
    const request = {
      chain: chainToWire(question.chain),
      action: question.action,
      secret: question.secret,
      target: question.target,
      context: question.context,
      requestDigest: question.digest ?? "",
      approvals: (question.approvals ?? []).map(approvalToWire),
    };
    try {
      return answerFrom(
        await this.#client.check(request, signal === undefined ? { timeoutMs: askTimeoutMs } : { timeoutMs: askTimeoutMs, signal }),
      );
    } catch (error) {
      if (signal?.aborted) throw new Refusal("CANCELLED", "The caller gave up before policy had answered.", { cause: error });
      throw new Refusal("POLICY_UNAVAILABLE", "Policy did not answer in time, so nothing was done; try again in a moment.", {
        cause: error,
        retryAfterMs: 1000,
      });
    }
  }
}

const approvalToWire = (approval: { name: string; digest: string; expiresAt: number }) =>
  ({
    name: approval.name,
    requestDigest: approval.digest,
    expiresAt: { seconds: BigInt(Math.floor(approval.expiresAt / 1000)), nanos: (approval.expiresAt % 1000) * 1_000_000 },
  }) satisfies Partial<Omit<Approval, "expiresAt">> & { expiresAt: { seconds: bigint; nanos: number } };

function answerFrom(response: CheckResponse): Answer {
  const common = { policies: response.determiningPolicies, policyVersion: response.policyVersion };
  // No obligation is known to this broker yet, so a permission that carries one does not hold.
  const reading = readResponse(response);
  switch (reading.kind) {
    case "allowed":
      return { kind: "allowed", ...common };
    case "needs-approval":
      return { kind: "needs-approval", ...common, rules: reading.approvals.map(ruleFrom) };
    case "denied":
      return { kind: "denied", reason: reading.reason, sentence: response.sentence, ...common };
    case "unclear":
      throw new Error(reading.why);
  }
}

const ruleFrom = (rule: CheckResponse["approvalsNeeded"][number]): ApprovalRule => ({
  name: rule.name,
  reviewers: rule.reviewers,
  quorum: rule.quorum,
  reviewMs: rule.reviewSeconds * 1000,
  grantMs: rule.grantSeconds * 1000,
});
