import { type DecisionService, Refusal } from "@sallyport/contracts";
import { type Catalogue, type Decision, decide, decisionToWire, type PolicyBundle, questionFromWire } from "@sallyport/policy";
import type { Clock, Handler } from "@sallyport/service";

export interface CheckParts {
  readonly policies: { readonly current: PolicyBundle | undefined };
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  /** Told of each decision, for metrics. */
  readonly decided: (decision: Decision, milliseconds: number) => void;
}

/** One decision for a whole chain. Who asks vouches for the chain, and records the decision with what it did. */
export const check =
  ({ policies, catalogue, clock, decided }: CheckParts): Handler<typeof DecisionService.method.check> =>
  async (request) => {
    const bundle = policies.current;
    if (bundle === undefined) {
      throw new Refusal(
        "POLICY_UNAVAILABLE",
        "No policies could be loaded, so nothing is allowed; the policy service's log names what is wrong.",
        {
          retryAfterMs: 1000,
        },
      );
    }
    const began = clock.monotonic();
    const decision = decide(bundle, catalogue, questionFromWire(request), clock.now());
    decided(decision, clock.monotonic() - began);
    return decisionToWire(decision);
  };
