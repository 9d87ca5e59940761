import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { samlRules } from "../../services/authn/src/trust/saml/saml-refusals.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

describe("the rules of standards", () => {
  it("of SAML each have a test that asserts the refusal by its name, and a place on their page", () => {
    const asserted = new Set(
      [
        "services/authn/src/trust/saml/saml-rules.spec.ts",
        "services/authn/src/trust/saml/signature-thread.spec.ts",
        "test/attacks/identity/saml.spec.ts",
      ]
        .map(read)
        .flatMap((text) => [...text.matchAll(/(?:refuses\(\s*|\[\s*|\), )"([a-z0-9-]+)"/g)].map(([, name]) => name)),
    );
    const page = read("docs/identity-providers/saml.md");
    const named = [...page.slice(page.indexOf("## What is refused")).matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => name);
    assert.ok(samlRules.length >= 50, `${samlRules.length} rules`);
    assert.deepEqual(
      samlRules.filter((rule) => !asserted.has(rule)),
      [],
      "asserted by no test",
    );
    assert.deepEqual(
      samlRules.filter((rule) => !named.includes(rule)),
      [],
      "not on the page",
    );
  });

  it("in identity.md each name files, and tests that are specs and speak of the cases that are named", () => {
    const rows = read("docs/identity.md")
      .split("\n")
      .filter((line) => line.startsWith("| ") && /`(?:packages|services|test)\//.test(line))
      .map((line) => line.split("|").map((cell) => cell.trim()));
    assert.ok(rows.length >= 35, `${rows.length} rows`);
    for (const row of rows) {
      const [where = "", tested = ""] = row.slice(-3);
      const rule = row[1] ?? "";
      assert.match(where, /`(?:packages|services)\//, `${rule}: no file`);
      const specs = [...tested.matchAll(/`([^`]+\.spec\.ts)`/g)].map(([, path = ""]) => path);
      assert.ok(specs.length > 0, `${rule}: no test`);
      const text = specs.map(read).join("\n");
      for (const [id] of tested.matchAll(/TOKN-\d\d/g)) assert.ok(text.includes(id), `${rule}: ${id} is in none of its tests`);
    }
  });
});
