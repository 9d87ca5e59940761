import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Action, CheckResponseSchema, Decision, type DecisionService, Refusal } from "@sallyport/contracts";
import type { Draft } from "@sallyport/evidence";
import { ceilingOf, chainOf } from "@sallyport/identity";
import type { EvidenceWriter } from "@sallyport/journal";
import type { Caller, Client, Gate } from "@sallyport/service";
import { callOf } from "../audit.fixture.ts";
import { authorizeReplay } from "./authorize-replay.ts";

const chain = chainOf([{ id: "corp/alice", kind: "person", sid: "s".repeat(22) }], ["corp/auditors"]);

/** Asks as somebody with those actions in the credential, while policy answers so. */
async function ask(actions: Action[], answer: MessageInitShape<typeof CheckResponseSchema> | Error, evidenceFails = false) {
  const records: Draft[] = [];
  const asked: unknown[] = [];
  const caller = { chain, ceiling: ceilingOf([{ actions, secrets: ["*"], targets: ["*"] }]), thumbprint: "t" } as unknown as Caller;
  const gate = { authenticate: async () => caller, assertLive: () => {} } as unknown as Gate;
  const decisions: Client<typeof DecisionService> = {
    check: async (question) => {
      asked.push(question);
      if (answer instanceof Error) throw answer;
      return create(CheckResponseSchema, answer);
    },
  };
  const evidence = {
    record: async (draft: Draft) => {
      if (evidenceFails) throw new Refusal("AUDIT_UNAVAILABLE", "full");
      records.push(draft);
    },
    refusal: async (draft: Draft) => void records.push(draft),
  } as unknown as EvidenceWriter;
  let reason = "none";
  try {
    await authorizeReplay(gate, decisions, evidence)(callOf(new AbortController().signal), { secret: "prod/orders/api" });
  } catch (error) {
    reason = error instanceof Refusal ? error.reason : String(error);
  }
  return { reason, asked, facts: records[0]?.facts };
}

describe("reading evidence needs the action replay", () => {
  it("within the ceiling and by policy, and is on record with what was looked for", async () => {
    const { reason, facts, asked } = await ask([Action.REPLAY], {
      decision: Decision.ALLOW,
      determiningPolicies: ["auditors"],
      policyVersion: "v",
    });
    assert.equal(reason, "none");
    assert.deepEqual([facts?.event, facts?.status, facts?.policies?.determining], ["evidence.read", "success", ["auditors"]]);
    assert.deepEqual(facts?.details, { secret: "prod/orders/api" });
    assert.equal((asked[0] as { action: Action }).action, Action.REPLAY);
  });

  it("and is refused, on record, for every other answer, and for none", async () => {
    const refused = async (answer: Parameters<typeof ask>[1], actions: Action[] = [Action.REPLAY]) => {
      const { reason, facts } = await ask(actions, answer);
      assert.deepEqual([facts?.status, facts?.reason], ["failure", reason]);
      return reason;
    };
    assert.equal(await refused({ decision: Decision.ALLOW }, [Action.USE]), "DENIED_BY_POLICY");
    assert.equal(await refused({ decision: Decision.DENY, reason: "DENIED_BY_POLICY" }), "DENIED_BY_POLICY");
    assert.equal(await refused({ decision: Decision.DENY, reason: "POLICY_ERROR" }), "POLICY_ERROR");
    assert.equal(await refused({ decision: Decision.NEEDS_APPROVAL }), "DENIED_BY_POLICY");
    assert.equal(await refused({}), "DENIED_BY_POLICY");
    assert.equal(await refused({ decision: 42 as Decision }), "DENIED_BY_POLICY");
    assert.equal(await refused({ decision: Decision.ALLOW, obligations: [{ name: "unheard-of" }] }), "POLICY_ERROR");
    assert.equal(await refused(new Error("down")), "POLICY_UNAVAILABLE");
  });

  it("and shows nothing where the reading itself cannot be put on record", async () => {
    assert.equal((await ask([Action.REPLAY], { decision: Decision.ALLOW }, true)).reason, "AUDIT_UNAVAILABLE");
  });
});
