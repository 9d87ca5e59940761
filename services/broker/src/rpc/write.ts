import { Action, type BrokerService, Refusal } from "@sallyport/contracts";
import { refusalFor } from "@sallyport/masking";
import type { Handler } from "@sallyport/service";
import type { Derivation } from "../masks/derivation.ts";
import type { SecretWriter } from "../stores/secret-store.ts";
import type { Ask } from "../use/ask.ts";
import { secretRecord, type UseFacts } from "../use/records.ts";
import { addressOf, traceparentOf } from "./call-facts.ts";
import type { DescribeParts } from "./describe.ts";
import { permitted } from "./permitted.ts";
import type { CallerGate } from "./recording-gate.ts";

/** Stores a new version. Needs no right to read, and tells nothing of what was there. */
export const write =
  (
    parts: Omit<DescribeParts, "reader" | "fingerprints"> & { gate: CallerGate; writer: SecretWriter; derivation: Derivation },
  ): Handler<typeof BrokerService.method.write> =>
  async (request, call) => {
    const values = Object.values(request.fields);
    try {
      const caller = await parts.gate.authenticate(call);
      const ask: Ask = { caller, action: Action.WRITE, secret: parts.catalogue.secret(request.secret), target: undefined, context: {} };
      const facts: UseFacts = { ask, traceparent: traceparentOf(call), peerAddress: addressOf(call) };
      const store = ask.secret.config?.store ?? "";
      await permitted(facts, parts, call.signal, () => checkFields(request.fields, ask, parts.derivation.isName));
      const intent = await parts.evidence.intent(secretRecord(facts, store));
      let outcome = secretRecord(facts, store, { status: "unknown", reason: "OUTCOME_UNKNOWN" });
      try {
        parts.gate.assertLive(caller);
        const version = await parts.writer.write(
          ask.secret.name,
          new Map(Object.entries(request.fields)),
          request.afterVersion === "" ? undefined : request.afterVersion,
        );
        facts.secretVersion = version;
        outcome = secretRecord(facts, store, { status: "success" });
        return { version };
      } catch (error) {
        if (error instanceof Refusal)
          outcome = secretRecord(facts, store, { status: "failure", reason: error.reason, sentence: error.message });
        throw error;
      } finally {
        await intent.outcome(outcome);
      }
    } finally {
      for (const value of values) value.fill(0);
    }
  };

/** A field that the secret does not have would never be used; a value that cannot be masked would leak, unless it only names an account. Both are said now. */
function checkFields(fields: Record<string, Uint8Array>, ask: Ask, isName: Derivation["isName"]): void {
  const known = ask.secret.config?.fields ?? [];
  const names = Object.keys(fields);
  if (names.length === 0) throw new Refusal("INVALID_REQUEST", "Name at least one field with its new value.");
  if (names.some((name) => !known.includes(name)))
    throw new Refusal("INVALID_REQUEST", `This secret has the fields ${known.join(", ")} and no other.`);
  for (const [name, value] of Object.entries(fields)) {
    const sentence = refusalFor(value);
    if (sentence !== undefined && !isName(ask.secret.name, name))
      throw new Refusal("INVALID_REQUEST", `Field "${name}" cannot be masked in what comes back: ${sentence}`);
  }
}
