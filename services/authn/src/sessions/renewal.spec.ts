import assert from "node:assert/strict";
import { Action } from "@sallyport/contracts";
import { type Actor, AuthnCore, ceiling, mayDelegate, newHolder, nowhere, refuses } from "../authn.fixture.ts";

describe("renewing a credential", () => {
  let core: AuthnCore;
  let release: Actor;
  let deploy: Actor;
  beforeEach(async () => {
    core = await AuthnCore.open({ sessionSeconds: 3600 });
    release = await core.signIn({ agentName: "release", ceiling: mayDelegate });
    deploy = await core.delegate(release, "deploy");
  });
  afterEach(() => core.close());
  const revoke = (sid: string) =>
    core.revocations.revoke({ subject: { case: "sessionId", value: sid }, reason: "" }, release.credential, nowhere);

  it("keeps session, chain and key, and makes a new token", async () => {
    const renewed = await core.renew(deploy);
    assert.equal(renewed.sid, deploy.sid);
    assert.deepEqual(renewed.chain, deploy.credential.chain);
    assert.notEqual(renewed.id, deploy.credential.id);
    assert.equal(core.evidence.events.at(-1), "session.renew success");
  });

  it("is refused to another key", () =>
    refuses("PROOF_INVALID", core.renewal.renew(deploy.sid, undefined, newHolder().thumbprint, nowhere), /another key/));

  it("is refused once the session has ended, or any above it", async () => {
    await revoke(deploy.sid);
    await refuses("CREDENTIAL_REVOKED", core.renew(deploy));
    const other = await core.delegate(release, "other");
    await revoke(release.sid);
    await refuses("CREDENTIAL_REVOKED", core.renew(other));
  });

  it("is refused when the session's own life is over, its descendants' with it", async () => {
    core.clock.pass(3600_000 + 1000);
    await refuses("CREDENTIAL_EXPIRED", core.renew(release), /life of this session/);
    await refuses("CREDENTIAL_EXPIRED", core.renew(deploy));
  });

  it("never makes a credential that outlives its session", async () => {
    core.clock.pass(3600_000 - 60_000);
    const renewed = await core.renew(deploy);
    assert.ok(renewed.expiresAt * 1000 <= core.clock.now() + 61_000);
  });

  it("is refused for a session that never was", () =>
    refuses("CREDENTIAL_EXPIRED", core.renew({ sid: "A".repeat(22), holder: newHolder() })));

  describe("long after the last one has expired", () => {
    beforeEach(() => core.clock.pass(50 * 60_000));

    it("goes on with the same key, as far as the session's own life", async () => {
      assert.ok(deploy.credential.expiresAt * 1000 < core.clock.now());
      const renewed = await core.renew(deploy);
      assert.deepEqual([renewed.sid, renewed.sessionStarts], [deploy.sid, deploy.credential.sessionStarts]);
      assert.ok(renewed.expiresAt * 1000 > core.clock.now());
      core.clock.pass(10 * 60_000 + 1000);
      await refuses("CREDENTIAL_EXPIRED", core.renew(deploy), /sign in again/);
    });

    it("is refused to another key, and to the key of another session", async () => {
      for (const thumbprint of [newHolder().thumbprint, release.holder.thumbprint]) {
        await refuses("PROOF_INVALID", core.renewal.renew(deploy.sid, undefined, thumbprint, nowhere), /another key/);
      }
    });

    it("is refused for what was ended meanwhile, itself or above it, and says so", async () => {
      await revoke(release.sid);
      for (const actor of [release, deploy]) await refuses("CREDENTIAL_REVOKED", core.renew(actor), /was ended/);
    });

    it("gives what the session may now, not what the expired one said", async () => {
      const narrow = ceiling([Action.USE]);
      await core.renew(deploy, narrow);
      assert.deepEqual((await core.renew(deploy)).ceiling, narrow);
      await core.renew(release, narrow);
      const other = await core.renew(deploy);
      assert.deepEqual(other.ceiling, narrow);
      await refuses("DELEGATION_EXCEEDED", core.renew(deploy, mayDelegate));
    });
  });

  it("of a session that is bound to a certificate wants its key or its certificate, and of another its key", async () => {
    const holder = newHolder();
    const { ticket } = await core.ticket(release, "certified", mayDelegate, holder);
    const certified = await core.redeem(ticket, holder, "mtls");
    await core.renewal.renew(certified.sid, undefined, undefined, nowhere);
    await core.renewal.renew(certified.sid, undefined, holder.thumbprint, nowhere);
    await refuses("PROOF_INVALID", core.renewal.renew(certified.sid, undefined, newHolder().thumbprint, nowhere));
    await refuses("PROOF_INVALID", core.renewal.renew(deploy.sid, undefined, undefined, nowhere));
  });

  it("narrows from then on, and never widens again", async () => {
    const narrow = ceiling([Action.USE]);
    assert.deepEqual((await core.renew(deploy, narrow)).ceiling, narrow);
    assert.equal(core.evidence.events.at(-1), "session.narrow success");
    assert.deepEqual((await core.renew(deploy)).ceiling, narrow);
    await refuses("DELEGATION_EXCEEDED", core.renew(deploy, mayDelegate));
  });

  it("inside an equal ceiling narrows nothing, and ends nobody's credential", async () => {
    const migration = await core.delegate(deploy, "migration");
    await core.renew(deploy, mayDelegate);
    assert.equal(await core.isLive(migration.token), true);
  });

  it("of two narrowings at once lets no credential out that is wider than both records", async () => {
    const migration = await core.delegate(deploy, "migration");
    await Promise.allSettled([core.renew(deploy, ceiling([Action.USE])), core.renew(migration), core.renew(migration)]);
    await core.log.readToEnd();
    await refuses("DELEGATION_EXCEEDED", core.renew(migration));
  });

  it("is not answered where it cannot be put on record", async () => {
    core.evidence.full = true;
    await refuses("AUDIT_UNAVAILABLE", core.renew(deploy));
  });
});
