import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CheckResponseSchema, Decision as Wire } from "@sallyport/contracts";
import { chainOf } from "@sallyport/identity";
import { decisionToWire, readResponse } from "../index.ts";
import { ask, bundleOf, chain, grant, problemsOf } from "../policy.fixture.ts";

const all = '@id("all") permit (principal, action, resource);';
const overflow = '@id("overflow") forbid (principal is Agent, action, resource) when { principal.depth + 9223372036854775807 > 0 };';

describe("POLI-01: an error in a forbid does not let a permit win", () => {
  it("denies as POLICY_ERROR and names the policy, where Cedar alone would allow", () => {
    const decision = ask(bundleOf(all, overflow), { chain: chain("corp/alice", ["release"]) });
    assert.equal(decision.verdict, "error");
    assert.deepEqual(decision.determining, ["overflow"]);
    assert.match(decision.sentence, /^Policy "overflow" could not be evaluated for "corp\/alice#release" \(integer overflow/);
    const wire = decisionToWire(decision);
    assert.deepEqual([wire.decision, wire.reason], [Wire.DENY, "POLICY_ERROR"]);
    assert.match(wire.links[1]?.errors[0] ?? "", /^overflow: integer overflow/);
  });

  it("does so in any link, and also where the rest denies or waits for approval", () => {
    const asked = { chain: chain("corp/alice", ["release", "deploy"]) };
    assert.equal(ask(bundleOf(all, overflow, '@id("no") forbid (principal, action, resource);'), asked).verdict, "error");
    assert.equal(ask(bundleOf(overflow, '@id("one") permit (principal is User, action, resource);'), asked).verdict, "error");
    const held =
      '@id("held") @approval("a") @reviewers("corp/x") forbid (principal, action, resource) unless { context.approvals.contains("a") };';
    assert.equal(ask(bundleOf(all, held, overflow), asked).verdict, "error");
    assert.equal(ask(bundleOf(all, held, overflow), { ...asked, grants: [grant("a")] }).verdict, "error");
  });

  it("refuses at load what would be a type error or a missing attribute", () => {
    assert.match(
      problemsOf('@id("a") forbid (principal, action, resource) when { principal.parent in resource.blocked };').join(),
      /^test\.cedar:1:\d+: .*not found/,
    );
    assert.match(
      problemsOf('@id("a") forbid (principal, action, resource) when { principal.depth > 2 };').join(),
      /`depth` on entity type `User` not found/,
    );
    assert.match(
      problemsOf('@id("a") forbid (principal is Agent, action, resource) when { principal.depth > "2" };').join(),
      /unexpected type/,
    );
  });

  it("twin: the same arithmetic without overflow decides as written", () => {
    const deep = '@id("deep") forbid (principal is Agent, action, resource) when { principal.depth + 1 > 3 };';
    assert.equal(ask(bundleOf(all, deep), { chain: chain("corp/alice", ["release", "deploy"]) }).verdict, "allowed");
    assert.deepEqual(ask(bundleOf(all, deep), { chain: chain("corp/alice", ["a", "b", "c"]) }).determining, ["deep"]);
  });
});

describe('POLI-03: missing is not "not equal"', () => {
  const notPost =
    '@id("not-post") permit (principal, action == Action::"use", resource) when { context has method && context.method != "POST" };';
  const asked = { chain: chain("corp/alice") };

  it("refuses a policy that compares what may be missing", () => {
    for (const condition of ['context.method != "POST"', '!(["POST"].contains(context.method))', '!(context.path like "/admin/*")']) {
      assert.match(
        problemsOf(`@id("a") permit (principal, action == Action::"use", resource) when { ${condition} };`).join(),
        /optional attribute/,
      );
    }
  });

  it("denies for a missing, empty, null or wrongly typed fact", () => {
    const bundle = bundleOf(notPost);
    assert.equal(ask(bundle, asked).verdict, "denied");
    assert.equal(ask(bundle, { ...asked, facts: { method: "" } }).verdict, "denied");
    assert.equal(ask(bundle, { ...asked, facts: { method: undefined } }).verdict, "denied");
    const missing = ask(bundle, { ...asked, facts: { method: null } });
    assert.equal(missing.verdict, "error");
    assert.match(missing.links[0]?.errors[0]?.message ?? "", /missing_attribute/);
    for (const method of [[], ["GET"], {}, 5, true, { __entity: { type: "User", id: "corp/root" } }, "\ud800"]) {
      assert.equal(ask(bundle, { ...asked, facts: { method } }).verdict, "error");
    }
    assert.equal(ask(bundle, { ...asked, facts: Object.create({ method: "GET" }) }).verdict, "denied");
  });

  it("twin: a fact that is there and differs is allowed; one that nobody can read is left out", () => {
    assert.equal(ask(bundleOf(notPost), { ...asked, facts: { method: "GET" } }).verdict, "allowed");
    assert.equal(ask(bundleOf(notPost), { ...asked, facts: { method: "GET", region: null, tags: [] } }).verdict, "allowed");
    assert.equal(ask(bundleOf(notPost), { ...asked, facts: { method: "POST" } }).verdict, "denied");
  });
});

describe("POLI-05: an answer that is not clearly yes is no", () => {
  const allowed = () => decisionToWire(ask(bundleOf(all), { chain: chain("corp/alice", ["release"]) }));
  const read = (change: object) => readResponse(create(CheckResponseSchema, { ...allowed(), ...change }));

  it("reads an absent or unknown decision as no answer", () => {
    assert.equal(readResponse(create(CheckResponseSchema, {})).kind, "unclear");
    assert.equal(read({ decision: Wire.UNSPECIFIED }).kind, "unclear");
    assert.equal(read({ decision: 7 }).kind, "unclear");
  });

  it("reads an allow that does not fit the rest of the answer as no answer", () => {
    assert.equal(read({ reason: "" }).kind, "unclear");
    assert.equal(read({ policyVersion: "" }).kind, "unclear");
    assert.equal(read({ links: [] }).kind, "unclear");
    assert.equal(read({ links: [{ linkId: "corp/alice", decision: Wire.UNSPECIFIED }] }).kind, "unclear");
    assert.equal(read({ decision: Wire.NEEDS_APPROVAL }).kind, "unclear");
    assert.equal(read({ obligations: [{ name: "unheard-of" }] }).kind, "denied");
  });

  it("twin: a whole answer is read as it is meant", () => {
    assert.equal(read({}).kind, "allowed");
    assert.deepEqual(read({ decision: Wire.DENY, reason: "POLICY_ERROR" }), { kind: "denied", reason: "POLICY_ERROR" });
    const known = create(CheckResponseSchema, { ...allowed(), obligations: [{ name: "max_rows", parameters: { value: "1" } }] });
    assert.equal(readResponse(known, new Set(["max_rows"])).kind, "allowed");
  });
});

describe("POLI-13: look-alikes", () => {
  it("are no second identity: a policy for one says nothing of the other", () => {
    const bundle = bundleOf('@id("db") permit (principal == User::"corp/admin", action, resource == Secret::"prod/orders/api");');
    assert.equal(ask(bundle, { chain: chain("corp/admin") }).verdict, "allowed");
    for (const id of ["corp/Admin", "corp/аdmin", "corp/admın", "corp/ａdmin"])
      assert.equal(ask(bundle, { chain: chain(id) }).verdict, "denied");
    for (const secret of ["prod/оrders/api", "prod／orders/api", "prod/orders/api\u200b", "prod/orders/apı"]) {
      assert.equal(ask(bundle, { chain: chain("corp/admin"), secret }).verdict, "denied");
    }
  });

  it("are refused in policies: another normal form, invisible marks, anything but ASCII in a secret's name", () => {
    const resource = (id: string) => `@id("a") permit (principal, action, resource == Secret::"${id}");`;
    const user = (id: string) => `@id("a") permit (principal == User::"${id}", action, resource);`;
    for (const id of ["prоd-db", "café", "\u212aey", "prod／db", "prod-db\\u{200b}", "prod-db ", "", "*", "prod/*", "/", "["])
      assert.equal(problemsOf(resource(id)).length, 1, id);
    for (const id of ["corp/cafe\u0301", "corp/x\\u{200b}", "corp/", "/x", "corp", "", "*", "corp/a b"])
      assert.equal(problemsOf(user(id)).length, 1, id);
    assert.throws(() => chainOf([{ id: "corp/cafe\u0301", kind: "person", sid: "0".repeat(22) }]));
  });

  it("are shown escaped", () => {
    const decision = ask(bundleOf(all), { chain: chain("corp/admin"), secret: "prod/x\u202e\nALLOWED" });
    assert.match(decision.sentence, /"prod\/x\\u\{202e\}\\u\{a\}ALLOWED"/);
  });

  it("twin: names in any script are names of people and groups", () => {
    const bundle = bundleOf('@id("a") permit (principal in Group::"corp/Команда Ä", action, resource);');
    assert.equal(ask(bundle, { chain: chain("corp/jürgen", [], ["corp/Команда Ä"]) }).verdict, "allowed");
  });
});
