import assert from "node:assert/strict";
import { type Policy, parsePolicies } from "../index.ts";
import { compilePolicy } from "./compile-policy.ts";
import { Hierarchy } from "./hierarchy.ts";
import { PolicyIndex } from "./policy-index.ts";

const schema = `entity Group; entity Category; entity User in [Group]; entity Secret in [Category];
action use, read appliesTo { principal: [User], resource: [Secret] };`;

function compiled(...texts: string[]) {
  const parsed = parsePolicies([{ name: "x.cedar", text: texts.join("\n") }], schema);
  assert.equal(parsed.kind, "parsed", JSON.stringify(parsed));
  return (parsed as { policies: readonly Policy[] }).policies.map(compilePolicy);
}

const hierarchy = new Hierarchy([
  { uid: { type: "User", id: "u/a" }, attrs: {}, parents: [{ type: "Group", id: "g/7" }] },
  { uid: { type: "Secret", id: "s" }, attrs: {}, parents: [{ type: "Category", id: "c7" }] },
]);
const above = (type: string, id: string) => {
  const node = hierarchy.nodeOf({ type, id });
  return [node, ...hierarchy.ancestorsOf(node)];
};
const found = (index: PolicyIndex, action: string) =>
  index.candidates(action, above("User", "u/a"), above("Secret", "s")).map(({ id }) => id);

describe("the index of policies", () => {
  it("looks at as many policies of a thousand as of ten: those that name the question's entities", () => {
    for (const count of [10, 1000]) {
      const policies = Array.from(
        { length: count },
        (_, i) => `@id("p${i}") permit (principal in Group::"g/${i}", action, resource in Category::"c${i}");
@id("r${i}") forbid (principal, action, resource in Category::"c${i}");`,
      );
      assert.deepEqual(found(new PolicyIndex(compiled(...policies)), "use"), ["p7", "r7"]);
    }
  });

  it("finds what names no entity, and what is about several actions, once", () => {
    const index = new PolicyIndex(
      compiled(
        '@id("any") permit (principal, action, resource);',
        '@id("both") permit (principal, action in [Action::"use", Action::"read", Action::"use"], resource is Secret);',
        '@id("other") permit (principal, action == Action::"read", resource);',
        '@id("self") permit (principal == User::"u/a", action, resource);',
        '@id("someone") permit (principal == User::"u/b", action, resource);',
        '@id("within") permit (principal is User in Group::"g/7", action, resource);',
      ),
    );
    assert.deepEqual(found(index, "use").sort(), ["any", "both", "self", "within"]);
    assert.deepEqual(found(index, "read").sort(), ["any", "both", "other", "self", "within"]);
  });
});
