import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { FollowResponseSchema } from "@sallyport/contracts";
import type { State } from "@sallyport/state";
import { TrustState } from "../../../../packages/service/src/gate/trust-state.ts";
import { type Actor, AuthnCore, mayDelegate, nowhere, refuses } from "../authn.fixture.ts";
import { Forgetting } from "./forgetting.ts";
import { RevocationLog } from "./revocation-log.ts";

const hour = 3_600_000;

describe("forgetting revocations", () => {
  let core: AuthnCore;
  let release: Actor;
  beforeEach(async () => {
    core = await AuthnCore.open({ sessionSeconds: 3_600 });
    release = await core.signIn({ agentName: "release", ceiling: mayDelegate });
  });
  afterEach(() => core.close());

  const revoke = (actor: Actor) =>
    core.revocations.revoke({ subject: { case: "sessionId", value: actor.sid }, reason: "" }, actor.credential, nowhere);

  it("waits until the session cannot live any more, however long ago it was revoked", async () => {
    const other = await core.signIn({ agentName: "other", ceiling: mayDelegate });
    await revoke(release);
    core.clock.pass(hour / 2);
    await revoke(other);
    assert.equal(await core.forgetting.forget(), 0);
    await refuses("CREDENTIAL_REVOKED", core.renew(release));
    core.clock.pass(hour + 600_000);
    assert.equal(await core.forgetting.forget(), 0);
    core.clock.pass(hour);
    assert.equal(await core.forgetting.forget(), 1);
    // Over by itself, not back.
    await refuses("CREDENTIAL_EXPIRED", core.renew(release));
  });

  it("waits for the longest session that any authn began here, though it was started again with a shorter life", async () => {
    await revoke(release);
    const options = { state: core.state, revocations: core.log, clock: core.clock, log: { info: () => undefined, warn: () => undefined } };
    const longer = new Forgetting({ ...options, sessionSeconds: 36_000 });
    const shorter = new Forgetting({ ...options, sessionSeconds: 60 });
    await longer.declare();
    await shorter.declare();
    await revoke(await core.signIn({ agentName: "other", ceiling: mayDelegate }));
    core.clock.pass(10 * hour);
    assert.equal(await shorter.forget(), 0);
    core.clock.pass(2 * hour);
    assert.equal(await shorter.forget(), 1);
    for (const one of [longer, shorter]) one.stop();
  });

  it("forgets no more than was judged, however many look at once", async () => {
    const actors = await Promise.all(Array.from("abcdefg", (agentName) => core.signIn({ agentName, ceiling: mayDelegate })));
    for (const actor of actors.slice(0, 3)) await revoke(actor);
    const until = core.clock.now() + 1;
    core.clock.pass(hour / 2);
    for (const actor of actors.slice(3)) await revoke(actor);
    const log = new RevocationLog(slowToTrim(core.state));
    await log.readToEnd();
    const kept = log.length;
    await Promise.all([1, 2, 3].map(() => log.forgetBefore(until)));
    assert.equal(log.length, kept - 3);
    assert.equal(log.forgottenThrough, 3);
  });

  it("forgets nothing for a clock of its own that runs ahead of the state's", async () => {
    await revoke(release);
    await revoke(await core.signIn({ agentName: "other", ceiling: mayDelegate }));
    const ahead = { now: () => core.clock.now() + 1_000 * hour };
    const log = { info: () => undefined, warn: () => undefined };
    const hasty = new Forgetting({ state: core.state, revocations: core.log, clock: ahead, sessionSeconds: 3_600, log });
    assert.equal(await hasty.forget(), 0);
    hasty.stop();
  });

  it("is told to every replica, also to one that begins later or was away, and to another authn", async () => {
    const began = new TrustState();
    const away = new TrustState();
    const tell = async (replica: TrustState, log = core.log) => {
      const { question, afterSequence } = replica.ask(0);
      await log.readToEnd();
      const { generation, epoch } = core.guardian.current;
      replica.hear(
        create(FollowResponseSchema, {
          question,
          generation,
          epoch: BigInt(epoch),
          jwks: core.feedSources.jwks(),
          forgottenThrough: BigInt(log.forgottenThrough),
          revocations: [...log.after(Math.max(Number(afterSequence), log.forgottenThrough), 100)],
        }),
      );
      return replica.lease(1).held;
    };
    const last = await core.signIn({ agentName: "last", ceiling: mayDelegate });
    await revoke(release);
    for (const replica of [began, away]) assert.equal(await tell(replica), true);
    for (const name of ["two", "three"]) await revoke(await core.signIn({ agentName: name, ceiling: mayDelegate }));
    assert.equal(await tell(began), true);
    core.clock.pass(3 * hour);
    await revoke(last);
    assert.equal(await core.forgetting.forget(), 3);
    const other = new RevocationLog(core.state);
    for (const [replica, log] of [
      [began, core.log],
      [away, core.log],
      [new TrustState(), core.log],
      [new TrustState(), other],
    ] as const) {
      assert.equal(await tell(replica, log), true);
      assert.equal(replica.revocations.size, 1);
      assert.equal(replica.revocations.lastSequence, 4n);
      assert.equal(replica.revocations.revokes(last.credential), "session");
    }
    assert.deepEqual([other.forgottenThrough, other.newest, other.length], [3, 4, 1]);
  });
});

/** Others look while it is asked to forget. */
const slowToTrim = (state: State): State =>
  new Proxy(state, {
    get: (target, property) => {
      const value = Reflect.get(target, property);
      if (typeof value !== "function") return value;
      return async (...given: unknown[]) => {
        if (property === "trimLog") await sleep(50);
        return value.apply(target, given);
      };
    },
  });
