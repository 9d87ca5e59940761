import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { FollowResponseSchema } from "@sallyport/contracts";
import { someJwks } from "./gate.fixture.ts";
import { leaseMs, TrustState } from "./trust-state.ts";

type Answer = MessageInitShape<typeof FollowResponseSchema>;

const revoke = (sequence: number) => ({
  sequence: BigInt(sequence),
  subject: { case: "provider", value: "x" } as const,
  at: timestampFromMs(1),
});

function hear(state: TrustState, changes: Answer) {
  return state.hear(
    create(FollowResponseSchema, { generation: "g1", epoch: 1n, jwks: state.keys === undefined ? someJwks : "", ...changes }),
  );
}

/** Asks at a time, and is answered at once. */
function askedAndAnswered(state: TrustState, at: number, changes: Answer = {}) {
  return hear(state, { question: state.ask(at).question, ...changes });
}

function isLost(state: TrustState, at: number, why: RegExp) {
  const lease = state.lease(at);
  assert.ok(!lease.held);
  assert.match(lease.why, why);
}

describe("the lease on the trust feed", () => {
  it("is not held before authn has answered, and lasts 700 ms", () => {
    const state = new TrustState();
    isLost(state, 0, /not answered yet/);
    askedAndAnswered(state, 1000);
    assert.ok(state.lease(1000 + leaseMs - 1).held);
    isLost(state, 1000 + leaseMs, /not answered in time/);
  });

  it("runs from the asking: an answer that lay in a buffer buys no time", () => {
    const state = new TrustState();
    const { question } = state.ask(1000);
    // The answer arrives 5 s later, as after a SIGSTOP.
    hear(state, { question });
    isLost(state, 6000, /in time/);
    const later = state.ask(6000);
    const latest = state.ask(6150);
    hear(state, { question: later.question });
    hear(state, { question: latest.question });
    assert.ok(state.lease(6150 + leaseMs - 1).held);
    isLost(state, 6150 + leaseMs, /in time/);
  });

  it("is not shortened by an earlier question's answer, nor renewed by one twice, a push, or a question never asked", () => {
    const state = new TrustState();
    const [first, second] = [state.ask(1000), state.ask(1150)];
    hear(state, { question: second.question });
    hear(state, { question: first.question });
    hear(state, { question: second.question });
    hear(state, { question: 0n });
    hear(state, { question: 99n });
    assert.ok(state.lease(1849).held);
    isLost(state, 1850, /in time/);
  });

  it("is not given for what was asked on a stream that has ended", () => {
    const state = new TrustState();
    const { question } = state.ask(1000);
    state.disconnected();
    hear(state, { question });
    isLost(state, 1000, /not answered yet/);
  });

  it("ends at once when authn cannot vouch for its state, and is back with its next good answer", () => {
    const state = new TrustState();
    askedAndAnswered(state, 1000);
    hear(state, { question: 0n, stateUnavailable: true });
    isLost(state, 1001, /vouch/);
    askedAndAnswered(state, 1002);
    assert.ok(state.lease(1003).held);
  });

  it("needs keys that can be read", () => {
    const state = new TrustState();
    askedAndAnswered(state, 0, { jwks: "" });
    isLost(state, 0, /no keys/);
    askedAndAnswered(state, 0, { jwks: `{"keys":[]}` });
    isLost(state, 0, /cannot be read/);
    askedAndAnswered(state, 0);
    const { keys } = state;
    askedAndAnswered(state, 0, { jwks: "not json" });
    isLost(state, 0, /cannot be read/);
    assert.equal(state.keys, keys);
  });
});

describe("what the trust feed tells", () => {
  it("is asked for after the last revocation that is known, and says when something was revoked", () => {
    const state = new TrustState();
    assert.equal(askedAndAnswered(state, 0, { revocations: [revoke(1), revoke(2)] }).revoked, true);
    assert.equal(state.ask(1).afterSequence, 2n);
    assert.equal(askedAndAnswered(state, 1).revoked, false);
    assert.equal(hear(state, { question: 0n, revocations: [revoke(3)] }).revoked, true);
    assert.equal(state.ask(2).afterSequence, 3n);
  });

  it("may come by push, again by answer, and again on a new stream", () => {
    const state = new TrustState();
    const { question } = state.ask(1000);
    hear(state, { question: 0n, revocations: [revoke(1)] });
    hear(state, { question, revocations: [revoke(1)] });
    assert.ok(state.lease(1000).held);
    state.disconnected();
    askedAndAnswered(state, 2000, { revocations: [revoke(1)] });
    assert.ok(state.lease(2000).held, "told from the beginning on a new stream");
  });

  it("with a revocation missing, or one that is not understood, gives no lease until it is mended", () => {
    const state = new TrustState();
    askedAndAnswered(state, 0, { revocations: [revoke(2)] });
    isLost(state, 0, /missing/);
    assert.equal(state.ask(0).afterSequence, 0n);
    askedAndAnswered(state, 0, { revocations: [revoke(1), revoke(2)] });
    assert.ok(state.lease(0).held);
    hear(state, { question: 0n, revocations: [{ sequence: 3n }] });
    isLost(state, 0, /upgrade/);
  });

  it("that went back gives no lease until authn has raised the epoch", () => {
    for (const backwards of [
      { revocations: [revoke(1)] },
      { epoch: 0n },
      { generation: "g2" },
      { generation: "g2", epoch: 0n },
    ] satisfies Answer[]) {
      const state = new TrustState();
      askedAndAnswered(state, 0, { revocations: [revoke(1), revoke(2)] });
      assert.ok(state.lease(0).held);
      askedAndAnswered(state, 0, backwards);
      isLost(state, 0, /went back|lost/);
      askedAndAnswered(state, 0);
      isLost(state, 0, /went back|lost/);
      askedAndAnswered(state, 0, { generation: "g3", epoch: 2n });
      isLost(state, 0, /anew/);
      assert.equal(state.ask(0).afterSequence, 0n);
      askedAndAnswered(state, 0, { generation: "g3", epoch: 2n });
      assert.ok(
        state.lease(0).held,
        JSON.stringify(backwards, (_, value) => (typeof value === "bigint" ? Number(value) : value)),
      );
    }
  });

  it("of a new generation with a higher epoch starts its revocations anew, and what was asked before counts no more", () => {
    const state = new TrustState();
    askedAndAnswered(state, 0, { revocations: [revoke(1)] });
    const before = state.revocations;
    const stale = state.ask(1);
    assert.equal(hear(state, { question: 0n, generation: "g2", epoch: 2n }).revoked, true);
    assert.notEqual(state.revocations, before);
    hear(state, { question: stale.question, generation: "g2", epoch: 2n });
    isLost(state, 1, /anew/);
    assert.equal(state.epoch, 2);
  });

  it("takes keys in also with an answer that is doubted, as authn tells them once a stream", () => {
    const state = new TrustState();
    askedAndAnswered(state, 0);
    const { keys } = state;
    const rotated = someJwks.replace("key-1", "key-2");
    assert.equal(askedAndAnswered(state, 0, { generation: "g2", epoch: 2n, jwks: rotated, agentCaPem: "PEM" }).agentCa, true);
    assert.notEqual(state.keys, keys);
    assert.ok(state.keys?.get("key-2"));
  });

  it("without a generation is no answer", () => {
    const state = new TrustState();
    askedAndAnswered(state, 0, { generation: "" });
    isLost(state, 0, /generation/);
  });
});
