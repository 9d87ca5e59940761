import assert from "node:assert/strict";
import { Action, Decision } from "@sallyport/contracts";
import fc from "fast-check";
import { type Actor, type AuthnChanges, AuthnCore, answer, ceiling, links, mayDelegate, newHolder, refuses } from "../authn.fixture.ts";
import { parseChildKey, ticketHash } from "./ticket.ts";

describe("delegating to a nested agent", () => {
  let core: AuthnCore;
  let release: Actor;
  const open = async (changes?: AuthnChanges) => {
    core = await AuthnCore.open(changes);
    release = await core.signIn({ agentName: "release", ceiling: mayDelegate });
  };
  beforeEach(() => open());
  afterEach(() => core.close());

  it("gives the child a session of its own, bound to its own key, below its parent's", async () => {
    const deploy = await core.delegate(release, "deploy");
    const migration = await core.delegate(deploy, "migration", ceiling([Action.USE]));
    assert.deepEqual(links(migration.credential), [
      "corp/alice",
      "corp/alice#release",
      "corp/alice#release/deploy",
      "corp/alice#release/deploy/migration",
    ]);
    assert.equal(migration.credential.binding.thumbprint, migration.holder.thumbprint);
    assert.deepEqual(core.evidence.events.slice(-2), ["agent.delegate success", "agent.enrol success"]);
  });

  it("refuses more than the parent has, and names what exceeds", async () => {
    const more = ceiling([Action.USE], ["prod/*", "stage/orders"]);
    const refusal = await refuses("DELEGATION_EXCEEDED", core.ticket(release, "deploy", more, newHolder()), /stage\/orders/);
    assert.match(refusal.metadata.exceeds ?? "", /use prod\/\*,stage\/orders \*/);
  });

  it("never adds two of the parent's entries up", async () => {
    const two = await core.signIn({ agentName: "two", ceiling: ceiling([Action.DELEGATE, Action.USE], ["a/*"]) });
    await refuses("DELEGATION_EXCEEDED", core.ticket(two, "x", ceiling([Action.USE, Action.READ], ["a/b"]), newHolder()));
  });

  it("refuses a prefix that does not end at a segment's edge", () =>
    refuses("DELEGATION_EXCEEDED", core.ticket(release, "deploy", ceiling([Action.USE], ["production/x"]), newHolder())));

  it("is denied where the parent's ceiling does not hold `delegate`", async () => {
    const leaf = await core.delegate(release, "leaf", ceiling([Action.USE]));
    await refuses("DENIED_BY_POLICY", core.ticket(leaf, "child", ceiling([Action.USE]), newHolder()), /delegate/);
  });

  it("asks policy for the parent's chain, and is denied where policy denies", async () => {
    await core.close();
    await open({ check: async () => answer(Decision.DENY, "DENIED_BY_POLICY", "No agents on Fridays.") });
    await refuses("DENIED_BY_POLICY", core.ticket(release, "deploy", mayDelegate, newHolder()), /Fridays/);
    assert.deepEqual(core.asked, [{ action: Action.DELEGATE, chain: ["corp/alice", "corp/alice#release"] }]);
  });

  it("refuses where policy cannot be asked", async () => {
    await core.close();
    await open({ check: () => Promise.reject(new Error("gone")) });
    await refuses("POLICY_UNAVAILABLE", core.ticket(release, "deploy", mayDelegate, newHolder()));
  });

  it("refuses an obligation that it does not know", async () => {
    await core.close();
    await open({
      check: async () => ({ ...answer(Decision.ALLOW), obligations: [{ $typeName: "sallyport.policy.v1.Obligation", name: "dance" }] }),
    });
    await refuses("DENIED_BY_POLICY", core.ticket(release, "deploy", mayDelegate, newHolder()), /obligation/);
  });

  it("is refused below the depth that is configured", async () => {
    await core.close();
    await open({ limits: { maxDepth: 2 } });
    const deploy = await core.delegate(release, "deploy");
    await refuses("DELEGATION_TOO_DEEP", core.ticket(deploy, "migration", mayDelegate, newHolder()), /2 deep/);
  });

  describe("TOKN-19: what the parent may is the most that its tree may", () => {
    it("one principal's tree shares one rate, wherever in it agents start", async () => {
      await core.close();
      await open({ limits: { delegationsPerMinute: 2 } });
      const deploy = await core.delegate(release, "deploy");
      await core.delegate(deploy, "migration");
      await refuses("RATE_LIMITED", core.ticket(release, "other", mayDelegate, newHolder()));
      const again = await core.signIn({ agentName: "release", ceiling: mayDelegate });
      await refuses("RATE_LIMITED", core.ticket(again, "other", mayDelegate, newHolder()));
    });

    it("a ticket that is refused for the rate takes no agent's place", async () => {
      await core.close();
      await open({ limits: { delegationsPerMinute: 1 } });
      await core.delegate(release, "deploy");
      await refuses("RATE_LIMITED", core.ticket(release, "other", mayDelegate, newHolder()));
      assert.equal((await core.state.members("agents corp/alice", 10)).length, 2);
    });

    it("one principal's tree shares one number of live agents, and a revoked agent's place is free again", async () => {
      await core.close();
      await open({ limits: { maxAgents: 3 } });
      const deploy = await core.delegate(release, "deploy");
      await core.delegate(deploy, "migration");
      await refuses("RATE_LIMITED", core.ticket(release, "other", mayDelegate, newHolder()), /3 live agents/);
      await core.revocations.revoke({ subject: { case: "sessionId", value: deploy.sid }, reason: "" }, release.credential, { address: "" });
      await core.delegate(release, "other");
    });

    it("never lets more agents live than the limit, however many start at once", async () => {
      await core.close();
      await open({ limits: { maxAgents: 4 } });
      const attempts = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => core.delegate(release, `agent-${n}`)));
      assert.ok(attempts.filter(({ status }) => status === "fulfilled").length <= 3);
    });

    it("a parent that was narrowed narrows its descendants: they renew inside it, or not at all", async () => {
      const deploy = await core.delegate(release, "deploy");
      const migration = await core.delegate(deploy, "migration");
      const narrow = ceiling([Action.READ, Action.DELEGATE]);
      await core.renew(release, narrow);
      assert.equal(await core.isLive(deploy.token), false);
      assert.equal(await core.isLive(migration.token), false);
      assert.equal(await core.isLive(release.token), true);
      await refuses("DELEGATION_EXCEEDED", core.renew(deploy));
      await refuses("DELEGATION_EXCEEDED", core.renew(migration));
      await refuses("DELEGATION_EXCEEDED", core.ticket(deploy, "new", ceiling([Action.USE]), newHolder()));
      assert.deepEqual((await core.renew(migration, narrow)).ceiling, narrow);
    });

    it("a parent's record that was read before its narrowing is read again", async () => {
      const wide = await core.sessions.load(release.sid);
      await core.renew(release, ceiling([Action.READ, Action.DELEGATE]));
      core.clock.pass(2_000);
      const load = core.sessions.load.bind(core.sessions);
      const answers = [wide];
      core.sessions.load = async (sid) => (sid === release.sid ? answers.pop() : undefined) ?? load(sid);
      await refuses("DELEGATION_EXCEEDED", core.ticket(release, "deploy", mayDelegate, newHolder()));
      assert.equal(answers.length, 0);
    });

    it("rights(child) ⊆ rights(parent) for any child that is accepted", () =>
      fc.assert(
        fc.asyncProperty(names, names, async (parentNames, childNames) => {
          const parent = await core.signIn({ agentName: "p", ceiling: ceiling([Action.USE, Action.DELEGATE], parentNames) });
          const child = await core.delegate(parent, "c", ceiling([Action.USE], childNames)).catch(() => undefined);
          if (child === undefined) return;
          for (const name of probes) {
            const allows = (list: readonly string[]) =>
              list.some((one) => one === "*" || one === name || (one.endsWith("/*") && name.startsWith(one.slice(0, -1))));
            assert.ok(!allows(childNames) || allows(parentNames), `${name} through ${childNames} below ${parentNames}`);
          }
        }),
        { numRuns: 25 },
      ));
  });

  describe("a ticket", () => {
    it("redeemed by the same key again gives the same session and a fresh credential", async () => {
      const child = newHolder();
      const { ticket, sid } = await core.ticket(release, "deploy", mayDelegate, child);
      const first = await core.redeem(ticket, child);
      const second = await core.redeem(ticket, child);
      assert.equal(first.sid, sid);
      assert.equal(second.sid, sid);
      assert.notEqual(second.credential.id, first.credential.id);
    });

    it("shown by another key is refused, and harms nothing", async () => {
      const child = newHolder();
      const { ticket } = await core.ticket(release, "deploy", mayDelegate, child);
      await refuses("TICKET_INVALID", core.redeem(ticket, newHolder()));
      const enrolled = await core.redeem(ticket, child);
      await refuses("TICKET_INVALID", core.redeem(ticket, newHolder()));
      assert.equal(await core.isLive(enrolled.token), true);
    });

    it("redeemed many times at once by its key gives one session", async () => {
      const child = newHolder();
      const { ticket } = await core.ticket(release, "deploy", mayDelegate, child);
      const all = await Promise.all(Array.from({ length: 5 }, () => core.redeem(ticket, child)));
      assert.equal(new Set(all.map(({ sid }) => sid)).size, 1);
    });

    it("runs out", async () => {
      const child = newHolder();
      const { ticket } = await core.ticket(release, "deploy", mayDelegate, child, 5);
      core.clock.pass(5_001);
      await refuses("TICKET_INVALID", core.redeem(ticket, child));
    });

    it("lives a minute at most", () =>
      refuses("INVALID_REQUEST", core.ticket(release, "deploy", mayDelegate, newHolder(), 61), /60 seconds/));

    it("that is unknown, empty or huge is refused in the same words", async () => {
      const words = new Set<string>();
      for (const ticket of ["", "x", "x".repeat(10_000), "A".repeat(43)])
        words.add((await refuses("TICKET_INVALID", core.redeem(ticket, newHolder()))).message);
      assert.equal(words.size, 1);
    });

    it("stands nowhere in the state", async () => {
      const { ticket } = await core.ticket(release, "deploy", mayDelegate, newHolder());
      assert.equal(await core.state.get("tickets", ticket), undefined);
      const kept = JSON.stringify(await core.state.get("tickets", ticketHash(ticket)));
      assert.ok(kept.length > 0 && !kept.includes(ticket));
      assert.ok(!JSON.stringify(core.evidence.drafts).includes(ticket));
    });

    it("is good for nothing once its parent has ended", async () => {
      const child = newHolder();
      const { ticket } = await core.ticket(release, "deploy", mayDelegate, child);
      await core.revocations.revoke({ subject: { case: "sessionId", value: release.sid }, reason: "" }, release.credential, {
        address: "",
      });
      await refuses("CREDENTIAL_REVOKED", core.redeem(ticket, child));
    });

    it("is good for no more than its parent may when it is redeemed", async () => {
      const [wide, narrow] = [newHolder(), newHolder()];
      const { ticket } = await core.ticket(release, "wide", mayDelegate, wide);
      const { ticket: inside } = await core.ticket(release, "narrow", ceiling([Action.READ]), narrow);
      await core.renew(release, ceiling([Action.READ, Action.DELEGATE]));
      await refuses("DELEGATION_EXCEEDED", core.redeem(ticket, wide));
      assert.deepEqual((await core.redeem(inside, narrow)).credential.ceiling, ceiling([Action.READ]));
    });

    it("whose child was revoked before it enrolled is good for nothing", async () => {
      const child = newHolder();
      const { ticket, sid } = await core.ticket(release, "deploy", mayDelegate, child);
      await core.revocations.revoke({ subject: { case: "sessionId", value: sid }, reason: "" }, release.credential, { address: "" });
      await refuses("CREDENTIAL_REVOKED", core.redeem(ticket, child));
    });

    it("written into the state by somebody else is not believed", async () => {
      const { ticket } = await core.ticket(release, "deploy", mayDelegate, newHolder());
      const id = ticketHash(ticket);
      const entry = await core.state.get("tickets", id);
      const thief = newHolder();
      const forged = JSON.parse(entry?.value as string) as { entry: object; mac: string };
      forged.entry = { ...forged.entry, childThumbprint: thief.thumbprint };
      await core.state.replace("tickets", id, entry?.version as number, JSON.stringify(forged));
      await refuses("STATE_UNAVAILABLE", core.redeem(ticket, thief));
    });
  });

  it("refuses a thumbprint that is none, both kinds of ticket at once, and takes no absence for an unbound one", () => {
    for (const order of [
      { childThumbprint: "short", unbound: false },
      { childThumbprint: "", unbound: false },
      { childThumbprint: release.holder.thumbprint, unbound: true },
    ]) {
      assert.throws(() => parseChildKey(order), { reason: "INVALID_REQUEST" });
    }
    assert.equal(parseChildKey({ childThumbprint: release.holder.thumbprint, unbound: false }), release.holder.thumbprint);
    assert.equal(parseChildKey({ childThumbprint: "", unbound: true }), undefined);
  });

  it("refuses a name that is none", () => refuses("INVALID_REQUEST", core.ticket(release, "De/ploy", mayDelegate, newHolder())));
});

const segment = fc.constantFrom("prod", "production", "orders", "api");
const name = fc.oneof(
  fc.constant("*"),
  fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
  fc.array(segment, { minLength: 1, maxLength: 2 }).map((parts) => `${parts.join("/")}/*`),
);
const names = fc.array(name, { minLength: 1, maxLength: 3 });
const probes = ["prod", "production", "prod/orders", "prod/orders/api", "production/orders", "orders/api", "api/api/api", "other"];
