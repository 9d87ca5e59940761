import { Action, type BrokerService } from "@sallyport/contracts";
import type { EvidenceWriter } from "@sallyport/journal";
import { placeholderFor } from "@sallyport/masking";
import type { Handler } from "@sallyport/service";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { SecretReader } from "../stores/secret-store.ts";
import type { Ask } from "../use/ask.ts";
import type { Decisions } from "../use/decisions.ts";
import type { Fingerprints } from "../use/fingerprints.ts";
import { secretRecord, type UseFacts } from "../use/records.ts";
import { addressOf, traceparentOf } from "./call-facts.ts";
import { permitted } from "./permitted.ts";
import type { CallerGate } from "./recording-gate.ts";
import { timestamp } from "./review-to-wire.ts";

export interface DescribeParts {
  readonly gate: CallerGate;
  readonly catalogue: Catalogue;
  readonly decisions: Decisions;
  readonly evidence: EvidenceWriter;
  readonly reader: SecretReader;
  readonly fingerprints: Fingerprints;
}

/** That a secret exists, with placeholders for its values. The values are read to be fingerprinted, and zeroed. */
export const describe =
  (parts: DescribeParts): Handler<typeof BrokerService.method.describe> =>
  async (request, call) => {
    const caller = await parts.gate.authenticate(call);
    const ask: Ask = { caller, action: Action.READ, secret: parts.catalogue.secret(request.secret), target: undefined, context: {} };
    const facts: UseFacts = { ask, traceparent: traceparentOf(call), peerAddress: addressOf(call) };
    const store = ask.secret.config?.store ?? "";
    await permitted(facts, parts, call.signal);
    const read = await parts.reader.read(ask.secret.name, undefined, call.signal);
    try {
      facts.secretVersion = read.version;
      await parts.evidence.record(secretRecord(facts, store, { status: "success" }));
      parts.gate.assertLive(caller);
      return {
        secret: {
          name: ask.secret.name,
          categories: [...(ask.secret.config?.categories ?? [])],
          version: read.version,
          ...(read.createdAt === undefined ? {} : { createdAt: timestamp(read.createdAt) }),
          fields: [...read.fields].map(([name, value]) => ({
            name,
            placeholder: placeholderFor(ask.secret.name, name),
            fingerprint: parts.fingerprints.ofValue(ask.secret.name, name, value),
          })),
        },
      };
    } finally {
      for (const value of read.fields.values()) value.fill(0);
    }
  };
