import { Refusal } from "@sallyport/contracts";
import { authentication } from "@sallyport/evidence";
import type { EvidenceWriter } from "@sallyport/journal";
import type { Call, Caller, Gate } from "@sallyport/service";
import { addressOf, traceparentOf } from "./call-facts.ts";

/** What handlers need of the gate. */
export type CallerGate = Pick<Gate, "authenticate" | "assertLive" | "watch">;

/**
 * The gate with a memory: whoever is turned away at the broker's door is on record with the reason. Being asked for a nonce
 * is no refusal but half of every first call, and stays off it.
 */
export function recordingGate(gate: CallerGate, evidence: EvidenceWriter): CallerGate {
  return {
    authenticate: async (call: Call): Promise<Caller> => {
      try {
        return await gate.authenticate(call);
      } catch (error) {
        if (error instanceof Refusal && error.reason !== "PROOF_REQUIRED") await evidence.refusal(turnedAway(call, error));
        throw error;
      }
    },
    assertLive: (caller) => gate.assertLive(caller),
    watch: (caller, signal) => gate.watch(caller, signal),
  };
}

const turnedAway = (call: Call, refusal: Refusal) =>
  authentication("logon", {
    event: "caller.refused",
    status: "failure",
    reason: refusal.reason,
    sentence: refusal.message,
    traceparent: traceparentOf(call),
    peer: { address: addressOf(call) },
    details: { method: `${call.method.parent.typeName}/${call.method.name}` },
  });
