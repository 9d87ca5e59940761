import assert from "node:assert/strict";
import { Action } from "@sallyport/contracts";
import { type Actor, AuthnCore, ceiling, mayDelegate, newHolder, refuses } from "../authn.fixture.ts";
import { policiesOf } from "./policy.fixture.ts";

const anyone = '@id("anyone-may-delegate") permit (principal, action == Action::"delegate", resource);';
const termed = (terms: string) => `@id("on-terms") ${terms} permit (principal, action == Action::"delegate", resource);`;

describe("delegating on policy's terms", () => {
  let core: AuthnCore | undefined;
  let release: Actor;
  const open = async (...policies: string[]) => {
    core = await AuthnCore.open({ check: policiesOf(...policies) });
    release = await core.signIn({ agentName: "release", ceiling: mayDelegate });
    return core;
  };
  afterEach(async () => {
    await core?.close();
    core = undefined;
  });

  it("who may delegate what to whom is policy's to say", async () => {
    const authn = await open(
      anyone,
      '@id("no-use-of-stage") forbid (principal, action == Action::"delegate", resource) when { context has secrets && context.secrets.contains("prod/stage") };',
      '@id("no-migrations") forbid (principal, action == Action::"delegate", resource) when { context has name && context.name == "migration" };',
      '@id("no-readers") forbid (principal, action == Action::"delegate", resource) when { context has actions && context.actions.contains("read") };',
    );
    const use = ceiling([Action.USE]);
    await authn.delegate(release, "deploy", use);
    await refuses("DENIED_BY_POLICY", authn.ticket(release, "migration", use, newHolder()), /no-migrations/);
    await refuses("DENIED_BY_POLICY", authn.ticket(release, "deploy", ceiling([Action.READ]), newHolder()), /no-readers/);
    await refuses(
      "DENIED_BY_POLICY",
      authn.ticket(release, "deploy", ceiling([Action.USE], ["prod/stage"]), newHolder()),
      /no-use-of-stage/,
    );
    assert.deepEqual(authn.facts[0], {
      agent: "corp/alice#release/deploy",
      name: "deploy",
      ticket: "bound",
      actions: ["use"],
      secrets: ["prod/*"],
      targets: ["*"],
    });
    const { policies } = authn.evidence.drafts.find(({ facts }) => facts.event === "agent.delegate")?.facts ?? {};
    assert.deepEqual(policies?.determining, ["anyone-may-delegate"]);
  });

  it("limits the depth, the lowest of several permits' limits counts, and the twin above it passes", async () => {
    const authn = await open(termed('@obligation_max_depth("2")'), anyone);
    const deploy = await authn.delegate(release, "deploy");
    await refuses("DELEGATION_TOO_DEEP", authn.ticket(deploy, "migration", mayDelegate, newHolder()), /2 deep/);
  });

  it("limits the live children of one parent, whose place is free again once one has ended", async () => {
    const authn = await open(termed('@obligation_max_children("2")'));
    const first = await authn.delegate(release, "one");
    const second = await authn.delegate(release, "two");
    await refuses("RATE_LIMITED", authn.ticket(release, "three", mayDelegate, newHolder()), /2 live children/);
    await authn.delegate(second, "grandchild");
    await authn.revocations.revoke({ subject: { case: "sessionId", value: first.sid }, reason: "" }, release.credential, { address: "" });
    await authn.delegate(release, "three");
  });

  it("limits the live agents and the tickets a minute of the principal's whole tree", async () => {
    const authn = await open(termed('@obligation_max_agents("3")'));
    const deploy = await authn.delegate(release, "deploy");
    await authn.delegate(deploy, "migration");
    await refuses("RATE_LIMITED", authn.ticket(deploy, "more", mayDelegate, newHolder()), /3 live agents/);
    await authn.close();
    const hurried = await open(termed('@obligation_tickets_per_minute("1")'));
    const child = await hurried.delegate(release, "deploy");
    await refuses("RATE_LIMITED", hurried.ticket(child, "migration", mayDelegate, newHolder()), /at most 1 a minute/);
  });

  it("a limit that is none is refused where the policies are loaded", () => {
    for (const value of ["0", "-1", "many", "1.5", "1e3", " 3"])
      assert.throws(() => policiesOf(termed(`@obligation_max_depth("${value}")`)), /whole number/);
    assert.throws(() => policiesOf('@id("x") @allows("anything") permit (principal, action, resource);'), /unbound-ticket/);
    assert.throws(() => policiesOf('@id("x") @allows("unbound-ticket") forbid (principal, action, resource);'), /goes with a permit/);
  });

  describe("a ticket that names no key", () => {
    const unbound = '@id("unbound-too") @allows("unbound-ticket") permit (principal, action == Action::"delegate", resource);';

    it("is denied, though policy permits to delegate, and permits everything", async () => {
      const authn = await open(anyone, '@id("everything") permit (principal, action, resource);');
      await refuses("DENIED_BY_POLICY", authn.ticket(release, "deploy", mayDelegate), /names no key/);
      await authn.delegate(release, "deploy");
    });

    it("is denied where policy allows it for some links only, and where a forbid speaks of it", async () => {
      const some = '@id("for-agents") @allows("unbound-ticket") permit (principal is Agent, action == Action::"delegate", resource);';
      const authn = await open(anyone, some);
      await refuses("DENIED_BY_POLICY", authn.ticket(release, "deploy", mayDelegate), /"corp\/alice"/);
      await authn.close();
      const no = '@id("never-unbound") forbid (principal, action, resource) when { context has ticket && context.ticket == "unbound" };';
      const forbidden = await open(unbound, no.replace("action,", 'action == Action::"delegate",'));
      await refuses("DENIED_BY_POLICY", forbidden.ticket(release, "deploy", mayDelegate), /never-unbound/);
      await forbidden.delegate(release, "deploy");
    });

    it("is the first key's that redeems it, which gets the same answer again", async () => {
      const authn = await open(unbound);
      const { ticket, sid } = await authn.ticket(release, "deploy", mayDelegate);
      const child = newHolder();
      const first = await authn.redeem(ticket, child);
      assert.equal(first.sid, sid);
      assert.equal(first.credential.binding.thumbprint, child.thumbprint);
      assert.equal((await authn.redeem(ticket, child)).sid, sid);
      assert.equal(await authn.isLive(first.token), true);
    });

    it("shown by a second key was taken: the child is ended, its siblings are not, and it is on record", async () => {
      const authn = await open(unbound);
      const sibling = await authn.delegate(release, "sibling");
      const { ticket } = await authn.ticket(release, "deploy", mayDelegate);
      const first = await authn.redeem(ticket, newHolder());
      const grandchild = await authn.delegate(first, "below");
      const refusal = await refuses("TICKET_INVALID", authn.redeem(ticket, newHolder()), /took it/);
      assert.equal(refusal.metadata.ended, first.sid);
      for (const dead of [first, grandchild]) assert.equal(await authn.isLive(dead.token), false);
      for (const live of [release, sibling]) assert.equal(await authn.isLive(live.token), true);
      await refuses("CREDENTIAL_REVOKED", authn.redeem(ticket, newHolder()));
      assert.deepEqual(
        authn.evidence.events.filter((event) => event.startsWith("agent.ticket-taken")),
        ["agent.ticket-taken intent", "agent.ticket-taken success"],
      );
    });

    it("redeemed by two keys at once gives nobody a live child", async () => {
      const authn = await open(unbound);
      const { ticket } = await authn.ticket(release, "deploy", mayDelegate);
      const all = await Promise.allSettled([newHolder(), newHolder()].map((holder) => authn.redeem(ticket, holder)));
      for (const one of all) if (one.status === "fulfilled") assert.equal(await authn.isLive(one.value.token), false);
      assert.ok(all.some(({ status }) => status === "rejected"));
    });
  });

  describe("a ticket for a workload", () => {
    const workload = termed('@obligation_workload("corp/builder/*")');

    it("is redeemed only with a token of that workload's own, and on record with it", async () => {
      const authn = await open(workload);
      const child = newHolder();
      const { ticket } = await authn.ticket(release, "deploy", mayDelegate, child);
      const tokenOf = (sub: string) => authn.issuer.token({ sub, jti: crypto.randomUUID() });
      await refuses("TICKET_INVALID", authn.redeem(ticket, child), /corp\/builder/);
      await refuses("TICKET_INVALID", authn.redeem(ticket, child, "dpop", await tokenOf("builders/one")), /another's/);
      await refuses("UNAUTHENTICATED", authn.redeem(ticket, child, "dpop", "a.b.c"));
      const token = await tokenOf("builder/one");
      const enrolled = await authn.redeem(ticket, child, "dpop", token);
      assert.equal(await authn.isLive(enrolled.token), true);
      assert.deepEqual(authn.evidence.drafts.at(-1)?.facts.details, { workloads: ["corp/builder/one"] });
      assert.equal((await authn.redeem(ticket, child)).sid, enrolled.sid);
      const other = newHolder();
      const { ticket: another } = await authn.ticket(release, "other", mayDelegate, other);
      await refuses("UNAUTHENTICATED", authn.redeem(another, other, "dpop", token), /another key/);
    });
  });
});
