import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import { actionName, allActions } from "@sallyport/identity";
import { actionRules } from "./action-rules.ts";
import { schema } from "./index.ts";

describe("the schema", () => {
  it("is the file that people read", () => {
    assert.equal(readFileSync(new URL("../sallyport.cedarschema", import.meta.url), "utf8"), schema);
  });

  it("has the actions of the contract, with the facts that decisions fill in", () => {
    const answer = cedar.schemaToJson(schema);
    assert.equal(answer.type, "success");
    const actions = answer.type === "success" ? answer.json[""]!.actions : {};
    assert.deepEqual(Object.keys(actions).sort(), allActions.map(actionName).sort());
    assert.deepEqual([...actionRules.keys()].sort(), Object.keys(actions).sort());
    for (const [name, rule] of actionRules) {
      const { context, resourceTypes } = actions[name]!.appliesTo!;
      const attributes = (context as unknown as { attributes: Record<string, { required?: boolean }> }).attributes;
      assert.deepEqual(
        Object.keys(attributes).sort(),
        ["approvals", ...(rule.atTarget ? ["target"] : []), ...rule.facts, ...rule.lists].sort(),
      );
      for (const fact of [...rule.facts, ...rule.lists]) assert.equal(attributes[fact]!.required, false);
      assert.deepEqual(
        resourceTypes.toSorted(),
        { secret: ["Secret"], installation: ["Installation"], either: ["Installation", "Secret"] }[rule.on],
      );
    }
  });
});
