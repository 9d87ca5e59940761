import { type Action, type CheckResponse, Decision, printable, Refusal } from "@sallyport/contracts";
import { type Chain, chainToWire } from "@sallyport/identity";

/** What policy said. */
export interface PolicyAnswer {
  readonly version: string;
  readonly determining: readonly string[];
  /** Only such as the asker knows. */
  readonly obligations: readonly { readonly name: string; readonly value: string }[];
}

/** Facts of a request, for policies to speak of. */
export type PolicyFacts = Record<string, string | string[]>;

/** Asks the PDP for one decision; throws Refusal where it cannot be asked. */
export type Check = (request: {
  chain: ReturnType<typeof chainToWire>;
  action: Action;
  context: PolicyFacts;
}) => Promise<Pick<CheckResponse, "decision" | "reason" | "sentence" | "determiningPolicies" | "policyVersion" | "obligations">>;

/** Policy, asked about what concerns no secret: to delegate, to revoke. */
export class PolicyQuestion {
  readonly #check: Check;

  constructor(check: Check) {
    this.#check = check;
  }

  /**
   * Returns only where every link of the chain is allowed.
   * @param known obligations that the asker fulfils; where there is another, the permission does not hold
   * @throws Refusal DENIED_BY_POLICY, POLICY_ERROR, APPROVAL_REQUIRED or POLICY_UNAVAILABLE
   */
  async demand(chain: Chain, action: Action, context: PolicyFacts, known: ReadonlySet<string> = new Set()): Promise<PolicyAnswer> {
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
    if (answer.obligations.some(({ name }) => !known.has(name)))
      throw new Refusal("DENIED_BY_POLICY", "Policy allows this only with an obligation that authn does not know.");
    const obligations = answer.obligations.map(({ name, parameters }) => ({ name, value: String(parameters?.value ?? "") }));
    return { version: answer.policyVersion, determining: answer.determiningPolicies, obligations };
  }

  async #ask(chain: Chain, action: Action, context: PolicyFacts) {
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
