import { Action, type BrokerService, Refusal } from "@sallyport/contracts";
import type { Handler, Host } from "@sallyport/service";
import type { State } from "@sallyport/state";
import { calculateJwkThumbprint } from "jose";
import type { TreeMasks } from "../masks/tree-masks.ts";
import { onceOnly } from "../reveal/once.ts";
import { recipientKeyBytes, type Sealed, sealFor } from "../reveal/seal.ts";
import { zero } from "../stores/secret-store.ts";
import type { Ask } from "../use/ask.ts";
import { secretRecord, type UseFacts } from "../use/records.ts";
import { addressOf, traceparentOf } from "./call-facts.ts";
import type { DescribeParts } from "./describe.ts";
import { permitted } from "./permitted.ts";

export interface RevealParts extends Omit<DescribeParts, "fingerprints"> {
  readonly state: State;
  readonly masks: TreeMasks;
  readonly log: Host["log"];
}

/**
 * Hands a value out, sealed to the agent's own key: the one thing that Sallyport otherwise never does. The order is that of
 * every effect, and what was revealed is in the tree's mask set before it leaves, so that it is masked in whatever comes back.
 */
export const reveal =
  (parts: RevealParts): Handler<typeof BrokerService.method.reveal> =>
  async (request, call) => {
    const caller = await parts.gate.authenticate(call);
    const ask: Ask = { caller, action: Action.REVEAL, secret: parts.catalogue.secret(request.secret), target: undefined, context: {} };
    const facts: UseFacts = { ask, traceparent: traceparentOf(call), peerAddress: addressOf(call) };
    const store = ask.secret.config?.store ?? "";
    const proves = await isSigningKey(request.recipientKey, caller.thumbprint);
    await permitted(facts, parts, call.signal, () => checkKey(request.recipientKey, proves));
    const intent = await parts.evidence.intent(secretRecord(facts, store));
    let outcome = secretRecord(facts, store, { status: "unknown", reason: "OUTCOME_UNKNOWN" });
    try {
      const read = await parts.reader.read(ask.secret.name, undefined, call.signal);
      try {
        facts.secretVersion = read.version;
        using _masked = await parts.masks.including(caller.rootSid, { secret: ask.secret.name, version: read.version }, read.fields);
        const fields: Record<string, Sealed> = {};
        for (const [field, value] of read.fields) {
          const binding = { secret: ask.secret.name, version: read.version, field, sessionId: caller.sid };
          fields[field] = await sealFor(request.recipientKey, value, binding).catch(() => {
            throw noKey();
          });
        }
        await onceOnly(parts.state, caller.sid, ask.secret.name, read.version);
        parts.gate.assertLive(caller);
        outcome = secretRecord(facts, store, { status: "success", details: { revealed_fields: [...read.fields.keys()] } });
        parts.log.warn({ secret: ask.secret.name, version: read.version, agent: caller.chain.links.at(-1)?.id }, "a secret was revealed");
        return { version: read.version, fields };
      } finally {
        zero(read.fields);
      }
    } catch (error) {
      if (error instanceof Refusal)
        outcome = secretRecord(facts, store, { status: "failure", reason: error.reason, sentence: error.message });
      throw error;
    } finally {
      // Durable before the answer leaves: what is not on record is not handed out.
      await intent.outcome(outcome);
    }
  };

function checkKey(key: Uint8Array, proves: boolean): void {
  if (key.length !== recipientKeyBytes) throw noKey();
  if (proves) throw new Refusal("INVALID_REQUEST", "The key that proves is for proofs alone; make an X25519 pair for this call.");
}

const noKey = () =>
  new Refusal("INVALID_REQUEST", "recipient_key must be the 32 bytes of an X25519 public key that was made for this call.");

/** Whether the caller proves with a signing key of these bytes, by its thumbprint (RFC 7638). */
async function isSigningKey(key: Uint8Array, thumbprint: string): Promise<boolean> {
  if (key.length !== recipientKeyBytes) return false;
  return (await calculateJwkThumbprint({ kty: "OKP", crv: "Ed25519", x: Buffer.from(key).toString("base64url") })) === thumbprint;
}
