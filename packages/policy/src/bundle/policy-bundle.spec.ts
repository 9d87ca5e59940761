import assert from "node:assert/strict";
import { loadBundle } from "../index.ts";
import { ask, bundleOf, chain, problemsOf } from "../policy.fixture.ts";

const all = '@id("all") permit (principal, action, resource);';
const held = (annotations: string, clause = 'unless { context.approvals.contains("a") }', head = "forbid") =>
  `@id("held") ${annotations}\n${head} (principal, action == Action::"use", resource)\n${clause};`;
const good = '@approval("a") @reviewers("corp/approvers")';

describe("a bundle with a very long condition", () => {
  it("is served or refused with its place, and never ends whoever loads it", () => {
    for (const operator of ["&&", "||"]) {
      const condition = Array.from({ length: 2600 }, () => "true").join(operator);
      const problems = problemsOf(`@id("long") permit (principal, action, resource) when { ${condition} };`);
      for (const problem of problems) assert.match(problem, /^test\.cedar:1:1: /);
    }
  });
});

describe("a bundle that uses approvals", () => {
  it("is served where the approval lifts a forbid", () => {
    bundleOf(held(good));
    bundleOf(held(good, 'when { context has path && context.path like "/v1/refunds/*" }\nunless { context.approvals.contains("a") }'));
    bundleOf(held(good, 'unless { context["approvals"].contains("a") }\nwhen { context["target"] == Target::"orders-api" }'));
  });

  it("is refused with its place anywhere else", () => {
    const refused = (text: string, expected: RegExp) => assert.match(problemsOf(text).join("\n"), expected, text);
    refused(held(good, 'when { context.approvals.contains("a") }', "permit"), /^test\.cedar:1:1: @approval belongs to a forbid/);
    refused(held("", 'when { context.approvals.contains("a") }', "permit"), /^test\.cedar:3:16: approvals are read only by/);
    refused(held("", 'when { !context.approvals.contains("a") }'), /^test\.cedar:3:17: approvals are read only by/);
    refused(held(good, 'unless { context.approvals.contains("a") }', "permit"), /^test\.cedar:3:18: an approval lifts a forbid/);
    refused(held("", 'unless { context.approvals.contains("a") }'), /the approval asked for is "a" and there is no @approval/);
    refused(held('@approval("b") @reviewers("corp/x")'), /@approval says "b"/);
    refused(held(good, 'unless { context.approvals.contains("a") || true }'), /@approval belongs to a forbid/);
    refused(held(good, 'unless { context.approvals.contains("a") } unless { context.approvals.contains("b") }'), /one approval each/);
    refused(held(good, 'unless { context.approvals.contains("a") } unless { context.approvals.isEmpty() }'), /approvals are read only by/);
    refused(held("", 'unless { context.approvals.containsAny(["a", "b"]) }'), /^test\.cedar:3:18: approvals are read only by/);
    refused(held("", "unless { context has approvals }"), /approvals are read only by/);
    refused(held("", 'unless { ["a"].containsAll(context["appro\\u{76}als"]) }'), /^test\.cedar:3:36: approvals are read only by/);
    refused(held("", "when { {a: context}.a.approvals.isEmpty() }"), /^test\.cedar:3:12: read `context` attribute by attribute/);
    refused(held("", "when { (if true then context else context).approvals.isEmpty() }"), /read `context` attribute by attribute/);
    refused(held("", "when { context == context }"), /read `context` attribute by attribute/);
  });

  it("is refused where the rule is not whole, or said twice differently", () => {
    for (const wrong of [
      '@approval("a")',
      '@approval("") @reviewers("corp/x")',
      '@approval("A b") @reviewers("corp/x")',
      '@approval("a") @reviewers("")',
      '@approval("a") @reviewers("*")',
      '@approval("a") @reviewers("corp/x,")',
      '@approval("a") @reviewers("corp/x, corp/x")',
      `${good} @quorum("0")`,
      `${good} @quorum("-1")`,
      `${good} @quorum("1.5")`,
      `${good} @quorum("")`,
      `${good} @quorum("11")`,
      `${good} @review_for("0s")`,
      `${good} @review_for("1e3s")`,
      `${good} @review_for("30")`,
      `${good} @grant_for("25h")`,
      `${good} @grant_for("soon")`,
      `${good} @quorom("2")`,
      `@reviewers("corp/x") ${""}`,
    ]) {
      assert.ok(problemsOf(held(wrong)).length > 0, wrong);
    }
    const again = held(`${good} @quorum("2")`).replace('@id("held")', '@id("again")');
    assert.match(problemsOf(held(good), again).join(), /^test\.cedar:4:1: policy "held" asks for the approval "a" by other reviewers/);
    bundleOf(held(good), held(good).replace('@id("held")', '@id("again")'));
  });
});

describe("POLI-15: what cannot be meant is refused with its place, never loaded as match-all", () => {
  const path = (pattern: string) =>
    `@id("a") permit (principal, action == Action::"use", resource) when { context has path && context.path like ${pattern} };`;

  it("refuses empty, blank, wildcard-only and missing patterns, and empty names", () => {
    for (const pattern of ['""', '"*"', '"**"', '" "', '"/v1/orders "', '" /v1"', "null", "", "["]) {
      assert.match(problemsOf(path(pattern)).join(), /^test\.cedar:1:\d+: /, pattern);
    }
    assert.match(problemsOf(all.replace('"all"', '"b"'), path('""')).join(), /^test\.cedar:2:104: an empty pattern/);
    assert.match(
      problemsOf('@id("a") permit (principal, action == Action::"use", resource) when { context has path && context.path != "" };').join(),
      /an empty text/,
    );
    for (const action of ['Action::"usee"', 'Action::""', 'Action::"*"', 'Akcion::"use"']) {
      assert.match(problemsOf(`@id("a") permit (principal, action == ${action}, resource);`).join(), /^test\.cedar:1:39: /, action);
    }
  });

  it("refuses the whole set for one wrong policy, and a set without files", () => {
    assert.equal(problemsOf(all, path('""')).length, 1);
    assert.equal(loadBundle([]).kind, "refused");
    assert.equal(
      loadBundle([
        { name: "a.cedar", text: all },
        { name: "b.cedar", text: "" },
      ]).kind,
      "refused",
    );
  });

  it("twin: patterns that say what they mean are served, and one that stops within a segment is pointed out", () => {
    bundleOf(
      path('"/v1/orders/*"'),
      path('"/"').replace('"a"', '"b"'),
      path('"/v1/*/refunds"').replace('"a"', '"c"'),
      path('"/x\\*["').replace('"a"', '"d"'),
    );
    assert.deepEqual(bundleOf(path('"/v1/orders/*"')).warnings, []);
    assert.match(bundleOf(path('"/v1/orders*"')).warnings[0]?.message ?? "", /within a segment/);
    assert.equal(
      ask(bundleOf(path('"/v1/orders/*"')), { chain: chain("corp/alice"), facts: { path: "/v1/orders/42" } }).verdict,
      "allowed",
    );
    assert.equal(ask(bundleOf(path('"/v1/orders/*"')), { chain: chain("corp/alice"), facts: { path: "/v2" } }).verdict, "denied");
  });
});

describe("a bundle's version", () => {
  it("is that of the policies, not of their files, order or line ends", () => {
    const other = '@id("b") forbid (principal, action,\nresource);';
    const version = (...files: string[]) => {
      const loaded = loadBundle(files.map((text, index) => ({ name: `${index}.cedar`, text })));
      return loaded.kind === "loaded" ? loaded.bundle.version : "";
    };
    assert.match(version(all), /^[0-9a-f]{64}$/);
    assert.equal(version(all, other), version(`// both\r\n${other.replace("\n", "\r\n")}\r\n${all}`));
    assert.notEqual(version(all, other), version(all, other.replace("forbid", "permit")));
  });
});
