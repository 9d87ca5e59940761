import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Action, type CheckResponse, type DecisionService, Refusal } from "@sallyport/contracts";
import { chainOf } from "@sallyport/identity";
import type { Client } from "@sallyport/service";
import { RemoteDecisions } from "./decisions.ts";

const sid = () => randomBytes(16).toString("base64url");
const question = {
  chain: chainOf([{ id: "corp/alice", kind: "person", sid: sid() }]),
  action: Action.USE,
  secret: "a",
  target: "b",
  context: {},
};
const answering = (check: (...args: unknown[]) => Promise<unknown>) =>
  new RemoteDecisions({ check } as unknown as Client<typeof DecisionService>);
const unavailable = (error: unknown) => error instanceof Refusal && error.reason === "POLICY_UNAVAILABLE";
const allow = {
  decision: 1,
  reason: "ALLOWED",
  sentence: "",
  determiningPolicies: ["p"],
  policyVersion: "v",
  links: [{ decision: 1, errors: [] }],
  obligations: [],
  approvalsNeeded: [],
};

describe("POLI-05: what the broker takes for an answer of policy", () => {
  it("is nothing but a clear one: an absent, unknown or contradictory decision allows nothing", async () => {
    for (const broken of [
      { decision: 0 },
      { decision: 99 },
      { links: [] },
      { links: [{ decision: 2, errors: [] }] },
      { policyVersion: "" },
      { decision: 3 },
    ]) {
      await assert.rejects(answering(async () => ({ ...allow, ...broken })).ask(question), unavailable, JSON.stringify(broken));
    }
  });

  it("is no failure: refused, broken off, or nothing at all within the bound", async () => {
    for (const failure of [new Refusal("TARGET_UNAVAILABLE", "refused"), new Error("reset"), new Refusal("INTERNAL", "bug")]) {
      await assert.rejects(answering(() => Promise.reject(failure)).ask(question), unavailable);
    }
    let bound: number | undefined;
    await answering(async (_request, options) => {
      bound = (options as { timeoutMs: number }).timeoutMs;
      return allow;
    }).ask(question);
    assert.ok(bound !== undefined && bound <= 5000);
  });

  it("holds an obligation that nobody knows here for a denial", async () => {
    const answer = await answering(async () => ({ ...allow, obligations: [{ name: "later-version" }] })).ask(question);
    assert.deepEqual([answer.kind, answer.kind === "denied" && answer.reason], ["denied", "POLICY_ERROR"]);
  });

  it("is passed on where it is clear", async () => {
    const answer = await answering(async () => allow as unknown as CheckResponse).ask(question);
    assert.deepEqual(answer, { kind: "allowed", policies: ["p"], policyVersion: "v" });
  });
});
