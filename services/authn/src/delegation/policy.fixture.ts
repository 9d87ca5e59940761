import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CheckRequestSchema, CheckResponseSchema } from "@sallyport/contracts";
import { catalogueOf, decide, decisionToWire, loadBundle, questionFromWire } from "@sallyport/policy";
import type { Check } from "../policy/policy-question.ts";

/** What the PDP answers, decided by real policies. */
export function policiesOf(...policies: string[]): Check {
  const loaded = loadBundle([{ name: "test.cedar", text: policies.join("\n") }]);
  assert.equal(loaded.kind, "loaded", JSON.stringify(loaded));
  const { bundle } = loaded as Extract<typeof loaded, { kind: "loaded" }>;
  const catalogue = catalogueOf({ secrets: {}, targets: {} });
  return async (request) => {
    const question = questionFromWire(create(CheckRequestSchema, request));
    return create(CheckResponseSchema, decisionToWire(decide(bundle, catalogue, question, Date.now())));
  };
}
