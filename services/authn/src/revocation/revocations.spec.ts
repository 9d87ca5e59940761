import assert from "node:assert/strict";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Action, Decision, type RevokeRequest } from "@sallyport/contracts";
import { type Actor, type AuthnChanges, AuthnCore, answer, mayDelegate, nowhere, refuses } from "../authn.fixture.ts";

describe("revoking", () => {
  let core: AuthnCore;
  let alice: Actor;
  let release: Actor;
  let deploy: Actor;
  let migration: Actor;
  const open = async (changes?: AuthnChanges) => {
    core = await AuthnCore.open(changes);
    alice = await core.signIn();
    release = await core.signIn({ agentName: "release", ceiling: mayDelegate });
    deploy = await core.delegate(release, "deploy");
    migration = await core.delegate(deploy, "migration");
  };
  beforeEach(() => open());
  afterEach(() => core.close());

  const revoke = (subject: RevokeRequest["subject"], by: Actor) =>
    core.revocations.revoke({ subject, reason: "misbehaves" }, by.credential, nowhere);
  const session = (actor: Actor): RevokeRequest["subject"] => ({ case: "sessionId", value: actor.sid });
  const live = async () =>
    Object.fromEntries(
      await Promise.all(
        Object.entries({ alice, release, deploy, migration }).map(async ([name, { token }]) => [name, await core.isLive(token)]),
      ),
    );

  it("a session ends it with everything below it, and nothing above", async () => {
    await revoke(session(deploy), release);
    assert.deepEqual(await live(), { alice: true, release: true, deploy: false, migration: false });
  });

  it("is anyone's right over their own session and what they started, without asking policy", async () => {
    await revoke(session(migration), migration);
    await revoke(session(deploy), release);
    assert.deepEqual(
      core.asked.filter(({ action }) => action === Action.REVOKE),
      [],
    );
  });

  it("what one did not start needs `revoke` by ceiling and policy", async () => {
    await refuses("DENIED_BY_POLICY", revoke(session(release), deploy), /ceiling/);
    await refuses("DENIED_BY_POLICY", revoke({ case: "principal", value: "corp/alice" }, release), /ceiling/);
    await revoke(session(deploy), alice);
    assert.deepEqual(
      core.asked.filter(({ action }) => action === Action.REVOKE),
      [{ action: Action.REVOKE, chain: ["corp/alice"] }],
    );
  });

  it("is refused where policy denies it, in the same words for a session that is not there", async () => {
    await core.close();
    await open({
      check: async ({ action }) => answer(action === Action.REVOKE ? Decision.DENY : Decision.ALLOW, "DENIED_BY_POLICY", "No."),
    });
    const one = await refuses("DENIED_BY_POLICY", revoke(session(deploy), alice));
    const other = await refuses("DENIED_BY_POLICY", revoke({ case: "sessionId", value: "A".repeat(22) }, alice));
    assert.equal(one.message, other.message);
    assert.equal((await live()).deploy, true);
  });

  it("a principal ends all its sessions that exist, and the next sign-in works at once", async () => {
    await revoke({ case: "principal", value: "corp/alice" }, alice);
    assert.deepEqual(await live(), { alice: false, release: false, deploy: false, migration: false });
    const again = await core.signIn();
    assert.equal(await core.isLive(again.token), true);
  });

  it("an agent ends every session of that agent, and its subtree", async () => {
    await revoke({ case: "agent", value: "corp/alice#release/deploy" }, alice);
    assert.deepEqual(await live(), { alice: true, release: true, deploy: false, migration: false });
    assert.equal(await core.isLive((await core.delegate(release, "deploy")).token), true);
  });

  it("a provider, or a time, ends all that began there or before", async () => {
    await revoke({ case: "provider", value: "other" }, alice);
    assert.equal((await live()).alice, true);
    await revoke({ case: "startedBefore", value: timestampFromMs(core.clock.now() - 60_000) }, alice);
    assert.equal((await live()).alice, true);
    await revoke({ case: "provider", value: "corp" }, alice);
    assert.deepEqual(await live(), { alice: false, release: false, deploy: false, migration: false });
  });

  it("refuses what cannot be meant", async () => {
    await refuses("INVALID_REQUEST", revoke({ case: undefined }, alice));
    for (const subject of [
      { case: "sessionId", value: "" },
      { case: "principal", value: "alice" },
      { case: "agent", value: "corp/alice" },
      { case: "provider", value: "Corp*" },
      { case: "startedBefore", value: timestampFromMs(core.clock.now() + 60_000) },
    ] as RevokeRequest["subject"][]) {
      await refuses("INVALID_REQUEST", revoke(subject, alice));
    }
    await refuses(
      "INVALID_REQUEST",
      core.revocations.revoke({ subject: session(alice), reason: "x".repeat(501) }, alice.credential, nowhere),
    );
  });

  it("is on record before it is in force, and in force in the state before it is answered", async () => {
    const sequence = await revoke(session(deploy), release);
    assert.deepEqual(core.evidence.events.slice(-2), ["session.revoke intent", "session.revoke success"]);
    assert.equal((await core.state.readLog("revocations", sequence - 1, 10)).length, 1);
    core.evidence.full = true;
    await refuses("AUDIT_UNAVAILABLE", revoke(session(release), release));
    core.evidence.full = false;
    assert.equal((await live()).release, true);
  });

  it("says nothing was confirmed where the state did not take it", async () => {
    await core.state.startGeneration(core.clock.now() + 10_000);
    core.state.append = () => Promise.reject(new Error("gone"));
    await assert.rejects(revoke(session(release), release), /gone/);
    assert.equal(core.evidence.events.at(-1), "session.revoke unknown");
  });
});
