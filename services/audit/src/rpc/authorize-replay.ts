import { propagation } from "@opentelemetry/api";
import { Action, Decision, type DecisionService, Refusal } from "@sallyport/contracts";
import { apiActivity, type Draft, type Facts } from "@sallyport/evidence";
import { ceilingAllows, chainToWire } from "@sallyport/identity";
import type { EvidenceWriter } from "@sallyport/journal";
import type { Call, Caller, Client, Gate } from "@sallyport/service";

/** Lets a caller read evidence, and puts on record that it does. @throws Refusal */
export type AuthorizeReplay = (call: Call, asked: NonNullable<Facts["details"]>) => Promise<Caller>;

/** Milliseconds that policy may take. */
const askTimeoutMs = 2000;

/** Who reads evidence needs the action `replay`: within the credential's ceiling, and by policy for every link of the chain. */
export const authorizeReplay =
  (gate: Gate, decisions: Client<typeof DecisionService>, evidence: EvidenceWriter): AuthorizeReplay =>
  async (call, asked) => {
    const caller = await gate.authenticate(call);
    const draft = (facts: Partial<Facts>): Draft =>
      apiActivity("read", {
        event: "evidence.read",
        chain: caller.chain,
        action: "replay",
        peer: { address: call.peer.kind === "service" ? undefined : call.peer.address, thumbprint: caller.thumbprint },
        traceparent: traceparentOf(call),
        details: asked,
        api: { operation: call.method.name, service: "audit" },
        ...facts,
      });
    const verdict = await ask(caller, call, decisions);
    if (verdict.refusal !== undefined) {
      const { reason, message } = verdict.refusal;
      await evidence.refusal(draft({ status: "failure", reason, sentence: message, policies: verdict.policies }));
      throw verdict.refusal;
    }
    await evidence.record(draft({ status: "success", policies: verdict.policies }));
    gate.assertLive(caller);
    return caller;
  };

async function ask(caller: Caller, call: Call, decisions: Client<typeof DecisionService>) {
  if (!ceilingAllows(caller.ceiling, Action.REPLAY)) {
    return { refusal: denied("The caller's credential does not reach to reading evidence."), policies: undefined };
  }
  let answer: Awaited<ReturnType<typeof decisions.check>>;
  try {
    const question = { chain: chainToWire(caller.chain), action: Action.REPLAY };
    answer = await decisions.check(question, { timeoutMs: askTimeoutMs, signal: call.signal });
  } catch (cause) {
    const refusal = new Refusal("POLICY_UNAVAILABLE", "Policy did not answer in time, so no evidence is shown; try again in a moment.", {
      cause,
      retryAfterMs: 1000,
    });
    return { refusal, policies: undefined };
  }
  const policies = { version: answer.policyVersion, determining: answer.determiningPolicies };
  // An obligation that is not known here cannot be kept, so the permission does not hold.
  if (answer.decision === Decision.ALLOW && answer.obligations.length === 0) return { refusal: undefined, policies };
  const error = answer.reason === "POLICY_ERROR" || answer.obligations.length > 0;
  const refusal = error
    ? new Refusal("POLICY_ERROR", "A policy could not be evaluated for reading evidence, so it is denied; tell the policy's author.")
    : denied("This chain may not read evidence; ask whoever writes the policies for the action `replay`.");
  return { refusal, policies };
}

const denied = (sentence: string) => new Refusal("DENIED_BY_POLICY", sentence);

function traceparentOf(call: Call): string | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(call.trace, carrier);
  return carrier.traceparent;
}
