import assert from "node:assert/strict";
import { problemText } from "@sallyport/cedar";
import { catalogueOf, loadBundle, warnOfUnknown } from "../index.ts";

const catalogue = catalogueOf({ secrets: { "prod/orders/api": { categories: ["orders"] } }, targets: { "orders-api": {} } });

function warnings(text: string): string[] {
  const loaded = loadBundle([{ name: "a.cedar", text }]);
  assert.ok(loaded.kind === "loaded", JSON.stringify(loaded));
  const found = warnOfUnknown(loaded.bundle, catalogue).map(problemText);
  loaded.bundle.engine.release();
  return found;
}

describe("policies that name what no connection serves", () => {
  it("are pointed out, each name once and where it is, in scopes and in conditions", () => {
    assert.deepEqual(
      warnings(`@id("p")
permit (principal, action == Action::"use", resource == Secret::"prod/order/api");
@id("f")
forbid (principal, action == Action::"use", resource)
when { context has target && (context.target == Target::"orders-apy" || context.target == Target::"orders-apy") };`),
      [
        'a.cedar:2:65: no connection serves the secret "prod/order/api", so this policy permits nothing for it; mend the name, or add it to the configuration',
        'a.cedar:5:57: no connection serves the target "orders-apy", so this policy forbids nothing for it; mend the name, or add it to the configuration',
      ],
    );
  });

  it("and none of those that name what there is, a category or a person", () => {
    assert.deepEqual(
      warnings(`@id("p")
permit (principal in Group::"corp/any", action == Action::"use", resource == Secret::"prod/orders/api")
when { context has target && context.target == Target::"orders-api" };
@id("c") permit (principal == User::"corp/nobody", action == Action::"use", resource in Category::"none");`),
      [],
    );
  });
});
