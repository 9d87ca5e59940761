import { type Action, type CheckResponse, Decision, printable, Refusal } from "@sallyport/contracts";
import { type Chain, chainToWire } from "@sallyport/identity";

/** What policy said, for records. */
export interface PolicyAnswer {
  readonly version: string;
  readonly determining: readonly string[];
}

/** Asks the PDP for one decision; throws Refusal where it cannot be asked. */
export type Check = (request: {
  chain: ReturnType<typeof chainToWire>;
  action: Action;
  context: Record<string, string>;
}) => Promise<Pick<CheckResponse, "decision" | "reason" | "sentence" | "determiningPolicies" | "policyVersion" | "obligations">>;

/** Policy, asked about what concerns no secret: to delegate, to revoke. */
export class PolicyQuestion {
  readonly #check: Check;

  constructor(check: Check) {
    this.#check = check;
  }

  /**
   * Returns only where every link of the chain is allowed, with nothing left to do for it.
   * @throws Refusal DENIED_BY_POLICY, POLICY_ERROR, APPROVAL_REQUIRED or POLICY_UNAVAILABLE
   */
  async demand(chain: Chain, action: Action, context: Record<string, string>): Promise<PolicyAnswer> {
    const answer = await this.#ask(chain, action, context);
    const sentence = printable(answer.sentence, 300);
    if (answer.decision === Decision.NEEDS_APPROVAL) {
      throw new Refusal(
        "APPROVAL_REQUIRED",
        `${sentence} Nobody can approve this kind of request here: have the policy allow it outright.`,
      );
    }
    if (answer.decision !== Decision.ALLOW) {
      throw new Refusal(answer.reason === "POLICY_ERROR" ? "POLICY_ERROR" : "DENIED_BY_POLICY", sentence);
    }
    // An obligation that is not understood means refuse.
    if (answer.obligations.length > 0)
      throw new Refusal("DENIED_BY_POLICY", "Policy allows this only with an obligation that authn does not know.");
    return { version: answer.policyVersion, determining: answer.determiningPolicies };
  }

  async #ask(chain: Chain, action: Action, context: Record<string, string>) {
    try {
      return await this.#check({ chain: chainToWire(chain), action, context });
    } catch (cause) {
      if (cause instanceof Refusal && cause.reason !== "TARGET_UNAVAILABLE" && cause.reason !== "INTERNAL") throw cause;
      throw new Refusal(
        "POLICY_UNAVAILABLE",
        "Policy cannot be asked right now, and nothing is allowed without it: try again in a moment.",
        {
          retryAfterMs: 1000,
          cause,
        },
      );
    }
  }
}
