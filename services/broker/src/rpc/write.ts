import { Action, type BrokerService, Refusal } from "@sallyport/contracts";
import { refusalFor } from "@sallyport/masking";
import type { Handler } from "@sallyport/service";
import { type Generator, generatorFor } from "../generate/generator.ts";
import type { Derivation } from "../masks/derivation.ts";
import type { SecretWriter } from "../stores/secret-store.ts";
import type { Ask } from "../use/ask.ts";
import { secretRecord, type UseFacts } from "../use/records.ts";
import { addressOf, traceparentOf } from "./call-facts.ts";
import type { DescribeParts } from "./describe.ts";
import { permitted } from "./permitted.ts";
import type { CallerGate } from "./recording-gate.ts";

/**
 * Stores a new version: values that the caller gives, and values that the broker makes up here, which nobody ever sees. Needs
 * no right to read, and tells nothing of what was there.
 */
export const write =
  (
    parts: Omit<DescribeParts, "reader" | "fingerprints"> & { gate: CallerGate; writer: SecretWriter; derivation: Derivation },
  ): Handler<typeof BrokerService.method.write> =>
  async (request, call) => {
    const values: Uint8Array[] = Object.values(request.fields);
    try {
      const caller = await parts.gate.authenticate(call);
      const ask: Ask = { caller, action: Action.WRITE, secret: parts.catalogue.secret(request.secret), target: undefined, context: {} };
      const facts: UseFacts = { ask, traceparent: traceparentOf(call), peerAddress: addressOf(call) };
      const store = ask.secret.config?.store ?? "";
      const generators = new Map<string, Generator>();
      await permitted(facts, parts, call.signal, () => {
        checkFields(request.fields, request.generate, ask, parts.derivation.isName);
        for (const [field, wanted] of Object.entries(request.generate)) generators.set(field, generatorFor(field, wanted));
      });
      const intent = await parts.evidence.intent(secretRecord(facts, store));
      let outcome = secretRecord(facts, store, { status: "unknown", reason: "OUTCOME_UNKNOWN" });
      try {
        const fields = new Map(Object.entries(request.fields));
        const publicKeys: Record<string, string> = {};
        for (const [field, generator] of generators) {
          const { value, publicKey } = await generator();
          values.push(value);
          fields.set(field, value);
          if (publicKey !== undefined) publicKeys[field] = publicKey;
        }
        parts.gate.assertLive(caller);
        const version = await parts.writer.write(ask.secret.name, fields, request.afterVersion === "" ? undefined : request.afterVersion);
        facts.secretVersion = version;
        outcome = secretRecord(facts, store, { status: "success", details: { generated_fields: generators.size } });
        return { version, publicKeys };
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
function checkFields(fields: Record<string, Uint8Array>, generate: Record<string, unknown>, ask: Ask, isName: Derivation["isName"]): void {
  const known = ask.secret.config?.fields ?? [];
  const names = [...Object.keys(fields), ...Object.keys(generate)];
  if (names.length === 0) throw new Refusal("INVALID_REQUEST", "Name at least one field, with its new value or with what to generate.");
  if (names.some((name) => !known.includes(name)))
    throw new Refusal("INVALID_REQUEST", `This secret has the fields ${known.join(", ")} and no other.`);
  if (new Set(names).size !== names.length)
    throw new Refusal("INVALID_REQUEST", "A field is given its value, or is generated: one that is both is neither.");
  for (const [name, value] of Object.entries(fields)) {
    const sentence = refusalFor(value);
    if (sentence !== undefined && !isName(ask.secret.name, name))
      throw new Refusal("INVALID_REQUEST", `Field "${name}" cannot be masked in what comes back: ${sentence}`);
  }
}
