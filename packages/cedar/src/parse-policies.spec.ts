import assert from "node:assert/strict";
import { OfficialEngine, type Parsed, parsePolicies, problemText } from "./index.ts";

const schema = `
entity Group;
entity User in [Group];
entity Secret { name: String };
action use, read appliesTo { principal: [User], resource: [Secret], context: { method?: String } };
`;
const parse = (text: string) => parsePolicies([{ name: "a.cedar", text }], schema);
const problems = (parsed: Parsed) => (parsed.kind === "refused" ? parsed.problems.map(problemText) : []);
const refused = (text: string, expected: RegExp) => assert.match(problems(parse(text)).join("\n"), expected);

describe("parsing policies", () => {
  it("takes ids from @id, keeps annotations, and cuts where Cedar cuts", () => {
    const parsed = parse('// é ; " \n@id("one;two/x") permit (principal, action, resource); // done');
    assert.match(problems(parsed).join(), /an @id has letters/);
    const good = parse(
      '// é ;\n@id("one") @note("a;b\\"c") permit (principal, action, resource);\n\n@id("two")\nforbid (principal, action, resource) when { resource.name == ";" };\n',
    );
    assert.equal(good.kind, "parsed");
    if (good.kind !== "parsed") return;
    assert.deepEqual(
      good.policies.map(({ id, effect, annotations }) => [id, effect, annotations.get("note")]),
      [
        ["one", "permit", 'a;b"c'],
        ["two", "forbid", undefined],
      ],
    );
  });

  it("names file, line and column of what is wrong, beyond multi-byte text too", () => {
    refused(
      '// ünïcode 🙂\n@id("a") permit (principal, action, resource) when { "é" == "é" && };',
      /^a\.cedar:2:68: .*unexpected token `}`/,
    );
    refused('// é\n\n@id("é") permit (principal, action, resource);', /^a\.cedar:3:1: an @id/);
    refused(
      '@id("a")\n  permit (principal, action == Action::"usee", resource);',
      /^a\.cedar:2:32: .*unrecognized action.*did you mean `Action::"use"`/,
    );
    refused('@id("a") permit (principal in Grup::"x", action, resource);', /^a\.cedar:1:31: .*unrecognized entity type `Grup`/);
  });

  it("refuses what is empty, unnamed, named twice, a template, or cut off", () => {
    refused("", /^a\.cedar:1:1: there is no policy/);
    refused("// nothing yet\n", /there is no policy/);
    refused("permit (principal, action, resource);", /no @id/);
    refused("@id permit (principal, action, resource);", /an @id has/);
    refused(
      '@id("a") permit (principal, action, resource);\n@id("a") forbid (principal, action, resource);',
      /^a\.cedar:2:1: the id "a" is taken/,
    );
    refused('@id("a") permit (principal == ?principal, action, resource);', /template/);
    refused('@id("a") permit (principal, action, resource)', /unexpected end of input/);
    refused('@id("a") permit (principal, action, resource) when { resource.name == "x', /^a\.cedar:1:/);
    refused('@id("a") permit (principal, action, resource); ;', /^a\.cedar:1:48: /);
  });

  it("refuses what a reader cannot see", () => {
    refused('@id("a") permit (principal == User::"corp/\u200bx", action, resource);', /^a\.cedar:1:43: .*U\+200b/);
    refused('@id("a") permit (principal, action, resource); // \u202e nice', /U\+202e/);
    refused('\ufeff@id("a") permit (principal, action, resource);', /^a\.cedar:1:1: .*U\+feff/);
  });

  it("refuses a read of an attribute that may be missing (strict validation)", () => {
    refused(
      '@id("a") permit (principal, action, resource) when { context.method != "POST" };',
      /^a\.cedar:1:54: .*optional attribute `method`/,
    );
  });

  it("refuses what would overflow the engine's stack, and the engine lives on", () => {
    const nested = (open: string, close: string, times = 3000) =>
      `@id("a") permit (principal, action, resource) when { ${open.repeat(times)}true${close.repeat(times)} };`;
    refused(nested("(", ")"), /nests deeper/);
    refused(nested("[", "]"), /nests deeper/);
    refused(nested("if true then true else ", "", 500), /nests deeper/);
    refused(nested("if ", " then true else true", 500), /nests deeper/);
    refused(nested("1 + ", "", 500), /nests deeper/);
    refused(nested("", ".a", 500), /nests deeper/);
    refused(`@id("a") permit (principal, action, resource) when { ${"true && ".repeat(4000)} true };`, /too large/);
    assert.equal(
      parse(`@id("a") permit (principal, action, resource) when { ${'resource.name == "a" || '.repeat(600)} true };`).kind,
      "parsed",
    );
  });
});

describe("the official engine", () => {
  const uid = (type: string, id: string) => ({ type, id });
  const question = {
    principal: uid("User", "corp/alice"),
    action: uid("Action", "use"),
    resource: uid("Secret", "prod/x"),
    context: { method: "GET" },
    entities: [
      { uid: uid("User", "corp/alice"), attrs: {}, parents: [uid("Group", "corp/team")] },
      { uid: uid("Secret", "prod/x"), attrs: { name: "prod/x" }, parents: [] },
    ],
  };
  const engineOf = (text: string) => {
    const parsed = parse(text);
    assert.equal(parsed.kind, "parsed", problems(parsed).join());
    return new OfficialEngine(parsed.kind === "parsed" ? parsed.policies : [], schema);
  };

  it("answers with the determining policies by their @id", () => {
    const engine = engineOf(
      '@id("team") permit (principal in Group::"corp/team", action, resource);\n@id("z") permit (principal, action, resource);',
    );
    assert.deepEqual(engine.evaluate(question), { decision: "allow", determining: ["team", "z"], errors: [] });
    engine.release();
  });

  it("answers a question that does not fit the schema with an error, never with allow", () => {
    const engine = engineOf('@id("all") permit (principal, action, resource);');
    for (const bad of [
      { ...question, context: { method: 5 } },
      { ...question, context: { other: "x" } },
      { ...question, action: uid("Action", "fly") },
      { ...question, resource: uid("Group", "corp/team") },
      { ...question, entities: [{ uid: uid("Secret", "prod/x"), attrs: { name: 1 }, parents: [] }] },
      { ...question, context: { method: 1.5 } },
    ]) {
      const answer = engine.evaluate(bad);
      assert.equal(answer.decision, "deny");
      assert.equal(answer.errors.length, 1);
    }
    engine.release();
  });

  it("denies after release, and another engine in its place answers by its own policies", () => {
    const first = engineOf('@id("first") permit (principal, action, resource);');
    first.release();
    const second = engineOf('@id("second") permit (principal, action, resource);');
    assert.equal(first.evaluate(question).decision, "deny");
    first.release();
    assert.deepEqual(second.evaluate(question).determining, ["second"]);
    second.release();
  });
});
