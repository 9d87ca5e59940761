import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Reason, Refusal } from "@sallyport/contracts";
import { certificateThumbprint, ProofMaker } from "@sallyport/identity";
import { callWith, deployAgent, FakeAuthn, fakeHost, HandClock, htu, memories, request, startedAt } from "./gate.fixture.ts";
import { Gate } from "./gate.ts";
import { TrustFeed } from "./trust-feed.ts";

async function rejectsWith(reason: Reason, promise: Promise<unknown>, sentence = /./): Promise<Refusal> {
  const error = await promise.then(
    () => assert.fail(`not refused with ${reason}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Refusal, String(error));
  assert.equal(error.reason, reason, error.message);
  assert.match(error.message, sentence);
  return error;
}

describe("the gate", () => {
  let authn: FakeAuthn;
  let clock: HandClock;
  let feed: TrustFeed;
  let gate: Gate;
  let kept: ReturnType<typeof memories>;

  beforeEach(async () => {
    authn = new FakeAuthn();
    clock = new HandClock();
    feed = await TrustFeed.follow(fakeHost(authn, clock));
    kept = memories();
    gate = new Gate(fakeHost(authn, clock), feed, kept);
    while (!feed.lease().held) await sleep(1);
  });
  afterEach(() => feed.stop());

  type Agent = Awaited<ReturnType<typeof deployAgent>>;

  /** The headers of a call with a proof that is good, unless changed. */
  const proven = (agent: Agent, token = agent.token, subject = {}) => ({
    authorization: `DPoP ${token}`,
    dpop: agent.maker.prove({ htu, request, credential: token, ...subject }, clock.now()),
  });

  /** An agent that has been told a nonce. */
  async function warmAgent(changes: Parameters<typeof deployAgent>[0] = {}): Promise<Agent> {
    const agent = await deployAgent(changes);
    const { call, answered } = callWith({ authorization: `DPoP ${agent.token}` });
    await gate.authenticate(call).catch(() => undefined);
    const nonce = answered.get("dpop-nonce");
    if (nonce !== undefined) agent.maker.remember(nonce);
    return agent;
  }

  it("knows an agent by its credential and a proof of its key", async () => {
    const agent = await warmAgent();
    const { call, answered } = callWith(proven(agent));
    const caller = await gate.authenticate(call);
    assert.deepEqual([caller.chain, caller.sid, caller.rootSid], [agent.chain, agent.chain.links[2]?.sid, agent.chain.links[0].sid]);
    assert.deepEqual([caller.binding, caller.thumbprint, answered.size], ["dpop", agent.maker.thumbprint, 0]);
    gate.assertLive(caller);
  });

  it("gives a nonce with each refusal for want of one, and a new one before the old one ends", async () => {
    const agent = await deployAgent();
    for (const dpop of [undefined, proven(agent).dpop]) {
      const { call, answered } = callWith({ authorization: `DPoP ${agent.token}`, dpop });
      const refusal = await rejectsWith("PROOF_REQUIRED", gate.authenticate(call), /dpop-nonce/);
      assert.ok(answered.get("dpop-nonce"));
      assert.equal(refusal.metadata["dpop-nonce"], answered.get("dpop-nonce"));
    }
    const warm = await warmAgent();
    clock.pass(65_000);
    while (!feed.lease().held) await sleep(1);
    const { call, answered } = callWith(proven(warm));
    await gate.authenticate(call);
    warm.maker.remember(answered.get("dpop-nonce") ?? assert.fail("no new nonce"));
    clock.pass(70_000);
    while (!feed.lease().held) await sleep(1);
    await gate.authenticate(callWith(proven(warm)).call);
  });

  it("refuses a replay, and a proof of another replica, which refuses to know it", async () => {
    const agent = await warmAgent();
    const headers = proven(agent);
    const other = new Gate(fakeHost(authn, clock), feed, memories("replica-2"));
    await gate.authenticate(callWith(headers).call);
    await rejectsWith("PROOF_INVALID", gate.authenticate(callWith(headers).call), /used before/);
    await rejectsWith("PROOF_REQUIRED", other.authenticate(callWith(headers).call));
  });

  it("refuses the token in another's hands, and a proof for another body or method", async () => {
    const agent = await warmAgent();
    const thief = await warmAgent();
    await rejectsWith("PROOF_INVALID", gate.authenticate(callWith(proven(thief, agent.token)).call), /another key/);
    await rejectsWith(
      "PROOF_INVALID",
      gate.authenticate(callWith(proven(agent, agent.token, { request: Buffer.from("other") })).call),
      /rqh/,
    );
    await rejectsWith("PROOF_INVALID", gate.authenticate(callWith(proven(agent, agent.token, { htu: `${htu}All` })).call), /is not for/);
  });

  it("says RATE_LIMITED, and when to try again, where it cannot remember a proof", async () => {
    gate = new Gate(fakeHost(authn, clock), feed, memories("replica-1", 0));
    const refusal = await rejectsWith("RATE_LIMITED", gate.authenticate(callWith(proven(await warmAgent())).call));
    assert.ok((refusal.retryAfterMs ?? 0) > 0);
  });

  it("says apart what is absent, not ours, expired and revoked, and what to do", async () => {
    await rejectsWith("UNAUTHENTICATED", gate.authenticate(callWith({}).call), /sallyport login/);
    for (const authorization of ["", "DPoP", "Bearer a.b.c", "DPoP a b", "Basic eA==", "DPoP a.b.c"]) {
      await rejectsWith("UNAUTHENTICATED", gate.authenticate(callWith({ authorization }).call));
    }
    await rejectsWith("CREDENTIAL_REVOKED", gate.authenticate(callWith(proven(await warmAgent({ epoch: 2 }))).call), /state was lost/);
    const agent = await warmAgent();
    clock.pass(600_000);
    while (!feed.lease().held) await sleep(1);
    await rejectsWith("CREDENTIAL_EXPIRED", gate.authenticate(callWith(proven(agent)).call), /[Rr]enew/);
  });

  it("TOKN-09: a credential that was remembered is refused once it is revoked, and its parent's is not", async () => {
    const agent = await warmAgent();
    const caller = await gate.authenticate(callWith(proven(agent)).call);
    const bystander = await warmAgent();
    authn.revoke({ case: "sessionId", value: agent.chain.links[1]?.sid ?? "" }, clock.now());
    while (feed.revocations.lastSequence < 1n) await sleep(1);
    await rejectsWith("CREDENTIAL_REVOKED", gate.authenticate(callWith(proven(agent)).call), /one above it/);
    assert.throws(() => gate.assertLive(caller), { reason: "CREDENTIAL_REVOKED" });
    await gate.authenticate(callWith(proven(bystander)).call);
  });

  it("lets a credential that was narrowed away renew, and do nothing else", async () => {
    const agent = await warmAgent();
    authn.revoke({ case: "narrowedSessionId", value: agent.chain.links[1]?.sid ?? "" }, clock.now());
    while (feed.revocations.lastSequence < 1n) await sleep(1);
    await rejectsWith("CREDENTIAL_REVOKED", gate.authenticate(callWith(proven(agent)).call), /renew/);
    await gate.authenticateForRenewal(callWith(proven(agent)).call);
    authn.revoke({ case: "sessionId", value: agent.chain.links[1]?.sid ?? "" }, clock.now());
    while (feed.revocations.lastSequence < 2n) await sleep(1);
    await rejectsWith("CREDENTIAL_REVOKED", gate.authenticateForRenewal(callWith(proven(agent)).call));
  });

  describe("for renewal, after the credential has expired", () => {
    let agent: Agent;

    /** Past its ten minutes, with a nonce of now. */
    beforeEach(async () => {
      agent = await deployAgent();
      await passTo(700_000);
    });

    const passTo = async (ms: number) => {
      clock.pass(ms);
      while (!feed.lease().held) await sleep(1);
      agent.maker.remember(kept.held.nonces.current(clock.monotonic()));
    };

    it("knows the holder by a proof of its key, for that and nothing else", async () => {
      await rejectsWith("CREDENTIAL_EXPIRED", gate.authenticate(callWith(proven(agent)).call), /Renew it/);
      const caller = await gate.authenticateForRenewal(callWith(proven(agent)).call);
      assert.deepEqual([caller.sid, caller.key], [agent.chain.links[2]?.sid, agent.maker.thumbprint]);
      await rejectsWith("CREDENTIAL_EXPIRED", gate.authenticate(callWith(proven(agent)).call), /Renew it/);
    });

    it("refuses a thief without the key, with a key of their own session, and a proof for another credential", async () => {
      const thief = await deployAgent();
      thief.maker.remember(kept.held.nonces.current(clock.monotonic()));
      await rejectsWith("PROOF_REQUIRED", gate.authenticateForRenewal(callWith({ authorization: `DPoP ${agent.token}` }).call));
      await rejectsWith("PROOF_INVALID", gate.authenticateForRenewal(callWith(proven(thief, agent.token)).call), /another key/);
      const { dpop } = proven(agent, thief.token);
      await rejectsWith(
        "PROOF_INVALID",
        gate.authenticateForRenewal(callWith({ authorization: `DPoP ${agent.token}`, dpop }).call),
        /credential that came with it/,
      );
    });

    it("refuses a replay, of one from before it expired as well", async () => {
      const fresh = await warmAgent({ issuedAt: clock.now() / 1000, expiresAt: clock.now() / 1000 + 5 });
      const before = proven(fresh);
      await gate.authenticateForRenewal(callWith(before).call);
      await passTo(10_000);
      await rejectsWith("PROOF_INVALID", gate.authenticateForRenewal(callWith(before).call), /used before/);
      fresh.maker.remember(kept.held.nonces.current(clock.monotonic()));
      const after = proven(fresh);
      await gate.authenticateForRenewal(callWith(after).call);
      await rejectsWith("PROOF_INVALID", gate.authenticateForRenewal(callWith(after).call), /used before/);
    });

    it("says that it was revoked, not that it expired, for as long as its session could have lived", async () => {
      authn.revoke({ case: "principal", value: "corp/alice" }, clock.now());
      while (feed.revocations.lastSequence < 1n) await sleep(1);
      await rejectsWith("CREDENTIAL_REVOKED", gate.authenticateForRenewal(callWith(proven(agent)).call), /sign in again/);
    });

    it("refuses one of another epoch, one that is not ours, and one whose tree is over", async () => {
      const old = await deployAgent({ epoch: 2 }, agent.maker);
      await rejectsWith("CREDENTIAL_REVOKED", gate.authenticateForRenewal(callWith(proven(old)).call), /state was lost/);
      const forged = `${agent.token.slice(0, -8)}AAAAAAAA`;
      await rejectsWith("UNAUTHENTICATED", gate.authenticateForRenewal(callWith(proven(agent, forged)).call));
      await passTo(3_600_000);
      await rejectsWith("CREDENTIAL_EXPIRED", gate.authenticateForRenewal(callWith(proven(agent)).call), /life of this session/);
    });

    it("wants the key where the certificate that it is bound to has ended with it", async () => {
      const der = Buffer.from("a certificate");
      const peer = { kind: "certificate", der, thumbprint: certificateThumbprint(der), address: "127.0.0.1" } as const;
      const bound = await deployAgent({ binding: { kind: "mtls", thumbprint: peer.thumbprint } }, agent.maker);
      const bearer = callWith({ authorization: `Bearer ${bound.token}` }, "agents-mtls", peer).call;
      await rejectsWith("CREDENTIAL_EXPIRED", gate.authenticateForRenewal(bearer));
      assert.equal((await gate.authenticateForRenewal(callWith(proven(bound)).call)).key, agent.maker.thumbprint);
    });
  });

  it("refuses everything without a lease, also to who was let in before", async () => {
    const agent = await warmAgent();
    const caller = await gate.authenticate(callWith(proven(agent)).call);
    authn.silent = true;
    clock.pass(701);
    assert.throws(() => gate.assertLive(caller), { reason: "STATE_UNAVAILABLE" });
    await rejectsWith("STATE_UNAVAILABLE", gate.authenticate(callWith(proven(agent)).call), /try again/);
  });

  it("ends a watched stream with the reason when its caller is revoked, the lease is lost, or the call ends", async () => {
    const agent = await warmAgent();
    const caller = await gate.authenticate(callWith(proven(agent)).call);
    const call = new AbortController();
    const [watched, unconcerned, cancelled] = [gate.watch(caller, call.signal), gate.watch(caller, call.signal), new AbortController()];
    unconcerned[Symbol.dispose]();
    const ended = gate.watch(caller, cancelled.signal);
    cancelled.abort("the caller left");
    assert.equal(ended.reason, "the caller left");
    authn.revoke({ case: "principal", value: "corp/alice" }, clock.now());
    while (!watched.aborted) await sleep(1);
    assert.equal(watched.reason.reason, "CREDENTIAL_REVOKED");
    assert.equal(unconcerned.aborted, false);
    assert.equal(gate.watch(caller, call.signal).aborted, true, "one that begins too late ends at once");
    const other = await gate.authenticate(
      callWith(proven(await warmAgent({ sessionStarts: [startedAt / 1000, startedAt / 1000, startedAt / 1000] }))).call,
    );
    const stream = gate.watch(other, call.signal);
    authn.answer = { stateUnavailable: true };
    while (!stream.aborted) await sleep(1);
    assert.equal(stream.reason.reason, "STATE_UNAVAILABLE");
  });

  it("ends a watched stream once the caller's session is over, and begins no effect then, but lets a longer session's go on", async () => {
    const second = clock.now() / 1000;
    const short = { issuedAt: second, expiresAt: second + 5, sessionEndsAt: second + 5 };
    const call = new AbortController();
    const caller = await gate.authenticate(callWith(proven(await warmAgent(short))).call);
    const longer = await gate.authenticate(callWith(proven(await warmAgent({ ...short, sessionEndsAt: second + 60 }))).call);
    // What the machine's own clock has left then is a moment.
    clock.pass(4_990);
    while (!feed.lease().held) await sleep(1);
    const [watched, other] = [gate.watch(caller, call.signal), gate.watch(longer, call.signal)];
    gate.assertLive(caller);
    assert.equal(watched.aborted, false);
    clock.pass(20);
    while (!watched.aborted) await sleep(1);
    assert.deepEqual([watched.reason.reason, other.aborted], ["CREDENTIAL_EXPIRED", false]);
    assert.throws(() => gate.assertLive(caller), { reason: "CREDENTIAL_EXPIRED" });
    gate.assertLive(longer);
    other[Symbol.dispose]();
  });

  it("proves a key without a credential, once", async () => {
    const maker = ProofMaker.generate();
    const { call, answered } = callWith({});
    await rejectsWith("PROOF_REQUIRED", gate.prove(call));
    maker.remember(answered.get("dpop-nonce") ?? "");
    const headers = { dpop: maker.prove({ htu, request }, clock.now()) };
    assert.equal((await gate.prove(callWith(headers).call)).thumbprint, maker.thumbprint);
    await rejectsWith("PROOF_INVALID", gate.prove(callWith(headers).call), /used before/);
  });

  it("takes a proof whose clock is off by a few seconds, and says by how much one is off that is refused", async () => {
    const agent = await warmAgent();
    const off = (seconds: number) => ({
      ...proven(agent),
      dpop: agent.maker.prove({ htu, request, credential: agent.token }, clock.now() + seconds * 1000),
    });
    await gate.authenticate(callWith(off(10)).call);
    await rejectsWith("PROOF_INVALID", gate.authenticate(callWith(off(-600)).call), /600 s behind/);
  });

  describe("on the listener for client certificates", () => {
    const der = Buffer.from("a certificate");
    const peer = (bytes: Uint8Array) =>
      ({ kind: "certificate", der: bytes, thumbprint: certificateThumbprint(bytes), address: "127.0.0.1" }) as const;

    it("knows an agent by the certificate that its credential is bound to", async () => {
      const { token } = await deployAgent({ binding: { kind: "mtls", thumbprint: certificateThumbprint(der) } });
      const headers = { authorization: `Bearer ${token}` };
      assert.equal((await gate.authenticate(callWith(headers, "agents-mtls", peer(der)).call)).binding, "mtls");
      await rejectsWith(
        "PROOF_INVALID",
        gate.authenticate(callWith(headers, "agents-mtls", peer(Buffer.from("another"))).call),
        /another client certificate/,
      );
      await rejectsWith("PROOF_INVALID", gate.authenticate(callWith(headers, "agents-mtls").call), /another client certificate/);
    });

    it("takes no credential of the other binding, nor does the other listener take its", async () => {
      const agent = await warmAgent();
      await rejectsWith(
        "PROOF_INVALID",
        gate.authenticate(callWith({ authorization: `Bearer ${agent.token}` }, "agents-mtls", peer(der)).call),
        /agents' listener/,
      );
      const mtls = { ...agent, ...(await deployAgent({ binding: { kind: "mtls", thumbprint: certificateThumbprint(der) } }, agent.maker)) };
      await rejectsWith("PROOF_INVALID", gate.authenticate(callWith(proven(mtls)).call), /client certificates/);
      await rejectsWith("UNAUTHENTICATED", gate.authenticate(callWith({ authorization: `Bearer ${mtls.token}` }).call));
      await rejectsWith("UNAUTHENTICATED", gate.authenticate(callWith(proven(agent), "peers").call), /between services/);
    });
  });
});
