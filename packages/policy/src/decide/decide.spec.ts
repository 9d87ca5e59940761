import assert from "node:assert/strict";
import type { PolicyEngine } from "@sallyport/cedar";
import { Action } from "@sallyport/contracts";
import { ask, bundleOf, chain, grant, now } from "../policy.fixture.ts";

const teamMayUse = '@id("team-may-use") permit (principal in Group::"corp/team", action == Action::"use", resource);';
const approvalForPayments = `@id("payments-need-approval") @approval("payments") @reviewers("corp/approvers") @quorum("2") @review_for("30m") @grant_for("5m")
forbid (principal, action == Action::"use", resource in Category::"payments") unless { context.approvals.contains("payments") };`;
const team = ["corp/team"];

describe("deciding for a chain", () => {
  it("asks every link, and agents reach their user's groups however deep they are", () => {
    const decision = ask(bundleOf(teamMayUse), { chain: chain("corp/alice", ["release", "deploy", "migration"], team) });
    assert.equal(decision.verdict, "allowed");
    assert.deepEqual(
      decision.links.map(({ link, verdict }) => [link, verdict]),
      ["corp/alice", "corp/alice#release", "corp/alice#release/deploy", "corp/alice#release/deploy/migration"].map((link) => [
        link,
        "allowed",
      ]),
    );
    assert.equal(decision.sentence, 'Every link of the chain may use "prod/orders/api" at "orders-api", by "team-may-use".');
  });

  it("denies when one link in the middle is forbidden, and says which link, which policy and what to do", () => {
    const bundle = bundleOf(teamMayUse, '@id("no-deploy") forbid (principal == Agent::"corp/alice#release/deploy", action, resource);');
    const denied = ask(bundle, { chain: chain("corp/alice", ["release", "deploy", "migration"], team) });
    assert.equal(denied.verdict, "denied");
    assert.deepEqual(denied.determining, ["no-deploy"]);
    assert.match(
      denied.sentence,
      /^"corp\/alice#release\/deploy" may not use "prod\/orders\/api" at "orders-api": policy "no-deploy" forbids it; ask/,
    );
    assert.equal(ask(bundle, { chain: chain("corp/alice", ["release", "other"], team) }).verdict, "allowed");
  });

  it("holds a forbid on an agent for all that it starts", () => {
    const bundle = bundleOf(teamMayUse, '@id("no-release") forbid (principal in Agent::"corp/alice#release", action, resource);');
    const denied = ask(bundle, { chain: chain("corp/alice", ["release", "deploy"], team) });
    assert.deepEqual(
      denied.links.map(({ verdict }) => verdict),
      ["allowed", "denied", "denied"],
    );
  });

  it("denies what nothing permits, the principal first", () => {
    const agentOnly = bundleOf('@id("agents") permit (principal is Agent, action, resource);');
    const denied = ask(agentOnly, { chain: chain("corp/alice", ["release"]) });
    assert.equal(denied.verdict, "denied");
    assert.deepEqual(denied.determining, []);
    assert.match(denied.sentence, /^No policy lets "corp\/alice" use "prod\/orders\/api" at "orders-api", or there is no such name;/);
  });

  it("denies an action that is absent or unknown, and questions that name too little or too much", () => {
    const all = bundleOf('@id("all") permit (principal, action, resource);');
    const asked = { chain: chain("corp/alice") };
    for (const wrong of [
      { action: Action.UNSPECIFIED },
      { action: 99 as never },
      { secret: "" },
      { target: "" },
      { action: Action.READ },
      { action: Action.REVOKE, target: "" },
    ]) {
      const decision = ask(all, { ...asked, ...wrong });
      assert.equal(decision.verdict, "denied");
      assert.deepEqual(decision.determining, []);
    }
    for (const right of [
      { action: Action.READ, target: "" },
      { action: Action.REVOKE, secret: "", target: "" },
      { action: Action.APPROVE, secret: "", target: "" },
      { action: Action.APPROVE, target: "" },
      { action: Action.DELEGATE, secret: "", target: "", facts: { agent: "corp/alice#x" } },
    ]) {
      assert.equal(ask(all, { ...asked, ...right }).verdict, "allowed");
    }
  });

  it("answers a secret that does not exist as one that nothing permits, even where everything is permitted", () => {
    const some = bundleOf('@id("some") permit (principal, action, resource == Secret::"prod/search/api");');
    const all = bundleOf('@id("all") permit (principal, action, resource);');
    const asked = { chain: chain("corp/alice", ["release"]) };
    const forbidden = ask(some, { ...asked, secret: "dev/orders/api" });
    const unknown = ask(some, { ...asked, secret: "dev/orders/xyz" });
    const unknownThoughPermitted = ask(all, { ...asked, secret: "dev/orders/xyz" });
    const plain = (decision: typeof forbidden) =>
      JSON.stringify({ ...decision, policyVersion: "" }).replaceAll(/dev\/orders\/(api|xyz)/g, "…");
    assert.equal(plain(unknown), plain(forbidden));
    assert.equal(plain(unknownThoughPermitted), plain(forbidden));
    assert.equal(ask(all, { ...asked, target: "nowhere" }).verdict, "denied");
  });

  it("does the same work for a secret that does not exist as for a forbidden one", () => {
    const bundle = bundleOf(teamMayUse, approvalForPayments);
    const counting = (secret: string, groups: string[]) => {
      let asked = 0;
      const evaluate: PolicyEngine["evaluate"] = (each) => {
        asked++;
        return bundle.engine.evaluate(each);
      };
      const engine: PolicyEngine = { evaluate, release: () => {} };
      ask({ ...bundle, engine }, { chain: chain("corp/alice", ["release"], groups), secret });
      return asked;
    };
    assert.equal(counting("no/such", team), counting("prod/search/api", []));
    assert.equal(counting("no/such", []), counting("prod/search/api", []));
  });
});

describe("approval", () => {
  const bundle = bundleOf(teamMayUse, approvalForPayments);
  const asked = { chain: chain("corp/alice", ["release"], team) };

  it("is asked for when nothing else stands in the way", () => {
    const decision = ask(bundle, asked);
    assert.equal(decision.verdict, "needs-approval");
    assert.deepEqual(decision.verdict === "needs-approval" && decision.approvals, [
      { name: "payments", reviewers: ["corp/approvers"], quorum: 2, reviewSeconds: 1800, grantSeconds: 300 },
    ]);
    assert.deepEqual(decision.determining, ["payments-need-approval"]);
    assert.match(decision.sentence, /"payments" by 2 people of "corp\/approvers"; request access and wait/);
  });

  it("lifts the forbid for the digest that was approved, until it expires", () => {
    assert.equal(ask(bundle, { ...asked, grants: [grant("payments")] }).verdict, "allowed");
    for (const wrong of [
      grant("payments", { requestDigest: "cd".repeat(32) }),
      grant("payments", { expiresAt: now }),
      grant("payments", { expiresAt: Number.NaN }),
      grant("Payments"),
      grant("other"),
    ]) {
      assert.equal(ask(bundle, { ...asked, grants: [wrong] }).verdict, "needs-approval");
    }
    assert.equal(
      ask(bundle, { ...asked, requestDigest: "", grants: [grant("payments", { requestDigest: "" })] }).verdict,
      "needs-approval",
    );
  });

  it("cannot be claimed in the request's own facts", () => {
    for (const approvals of [["payments"], "payments", { payments: true }]) {
      assert.equal(ask(bundle, { ...asked, facts: { approvals } }).verdict, "needs-approval");
    }
  });

  it("never gives what no policy permits, and is not asked for in vain", () => {
    const stranger = { chain: chain("corp/mallory", ["release"]) };
    assert.equal(ask(bundle, stranger).verdict, "denied");
    assert.equal(ask(bundle, { ...stranger, grants: [grant("payments")] }).verdict, "denied");
    const frozen = bundleOf(teamMayUse, approvalForPayments, '@id("freeze") forbid (principal, action, resource in Category::"payments");');
    assert.equal(ask(frozen, asked).verdict, "denied");
    assert.deepEqual(ask(frozen, { ...asked, grants: [grant("payments")] }).determining, ["freeze"]);
  });

  it("names every approval that is needed, each once", () => {
    const two = bundleOf(
      teamMayUse,
      approvalForPayments,
      '@id("agents-need-security") @approval("security") @reviewers("corp/security") forbid (principal is Agent, action, resource) unless { context.approvals.contains("security") };',
    );
    const decision = ask(two, asked);
    assert.deepEqual(decision.verdict === "needs-approval" && decision.approvals.map(({ name }) => name).sort(), ["payments", "security"]);
    assert.equal(ask(two, { ...asked, grants: [grant("payments")] }).verdict, "needs-approval");
    assert.equal(ask(two, { ...asked, grants: [grant("payments"), grant("security")] }).verdict, "allowed");
  });
});

describe("obligations", () => {
  it("come with an allow, from the permits that decided", () => {
    const bundle = bundleOf(
      '@id("rows") @obligation_max_rows("100") permit (principal, action, resource);',
      '@id("x") @obligation_other("1") permit (principal in Group::"corp/none", action, resource);',
    );
    const decision = ask(bundle, { chain: chain("corp/alice", ["release"]) });
    assert.deepEqual(decision.verdict === "allowed" && decision.obligations, [{ name: "max_rows", value: "100" }]);
  });
});
