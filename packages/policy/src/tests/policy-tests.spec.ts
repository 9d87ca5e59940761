import assert from "node:assert/strict";
import { problemText } from "@sallyport/cedar";
import { parsePolicyTests, runPolicyTests, untestedPolicies } from "../index.ts";
import { bundleOf } from "../policy.fixture.ts";

const bundle = bundleOf(
  '@id("team") permit (principal in Group::"corp/team", action == Action::"use", resource);',
  '@id("payments") @approval("payments") @reviewers("corp/approvers") forbid (principal, action, resource in Category::"payments") unless { context.approvals.contains("payments") };',
  '@id("other") permit (principal in Group::"corp/other", action == Action::"use", resource);',
);
const text = (expect: string, rest = "") => `
catalogue:
  secrets: { prod/orders/api: { categories: [payments] } }
  targets: [orders-api]
tests:
  - name: an agent of the team
    given:
      chain: [corp/alice, release]
      groups: [corp/team]
      action: use
      secret: prod/orders/api
      target: orders-api
      ${rest}
    expect: ${expect}
`;
const run = (yaml: string) => {
  const parsed = parsePolicyTests({ name: "team.yaml", text: yaml });
  assert.equal(parsed.kind, "parsed", parsed.kind === "refused" ? parsed.problems.map(problemText).join() : "");
  return parsed.kind === "parsed" ? runPolicyTests(bundle, parsed.tests) : [];
};
const problems = (yaml: string) => {
  const parsed = parsePolicyTests({ name: "team.yaml", text: yaml });
  return parsed.kind === "refused" ? parsed.problems.map(problemText) : [];
};

describe("policy tests", () => {
  it("pass where the decision, its policies and its approvals are as expected", () => {
    const [result] = run(text("needs-approval\n    policies: [payments]\n    needs: [payments]"));
    assert.equal(result?.failure, undefined);
    assert.equal(run(text("allow", "approvals: [payments]"))[0]?.failure, undefined);
    assert.deepEqual(untestedPolicies(bundle, [result!]), ["team", "other"]);
  });

  it("fail with what was decided and why", () => {
    assert.match(run(text("allow"))[0]?.failure ?? "", /^expected allow, got needs-approval: For "corp\/alice" to use/);
    assert.match(run(text("needs-approval\n    policies: [team]"))[0]?.failure ?? "", /expected policies \[team\], got \[payments\]/);
    assert.deepEqual([run(text("allow"))[0]?.file, run(text("allow"))[0]?.line], ["team.yaml", 6]);
  });

  it("are refused with their place where they are not understood: a typo never makes a test pass", () => {
    assert.match(problems(text("alow")).join(), /^team\.yaml:14:13: tests\.0\.expect/);
    assert.match(problems(text("allow", "aprovals: [payments]")).join(), /^team\.yaml:8:7: tests\.0\.given: Unrecognized key/);
    assert.match(
      problems(text("allow").replace("[corp/alice, release]", "[alice, release]")).join(),
      /^team\.yaml:6:5: "alice" is no principal/,
    );
    assert.match(problems(text("allow", "action: read")).join(), /^team\.yaml:13:7: Map keys must be unique/);
    assert.equal(problems("").length > 0, true);
    assert.match(problems("catalogue: {}\ntests: []").join(), /^team\.yaml:2:8: tests/);
  });
});
