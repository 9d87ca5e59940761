import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { reasons } from "@sallyport/contracts";
import { overrides } from "@sallyport/service";

const root = resolve(import.meta.dirname, "../..");
const pages = ["README.md", ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith(".md"),
);

describe("the documentation", () => {
  for (const page of pages) {
    const text = readFileSync(join(root, page), "utf8");

    it(`${page} names files that exist`, () => {
      const named = [...text.matchAll(/`((?:packages|services|proto|test|deploy|docs)\/[A-Za-z0-9._/-]+)`/g)].map(([, path = ""]) => path);
      assert.deepEqual(
        [...new Set(named)].filter((path) => !existsSync(join(root, path))),
        [],
      );
    });

    it(`${page} links to pages that exist`, () => {
      const linked = [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, path = ""]) => join(dirname(page), path));
      assert.deepEqual(
        linked.filter((path) => !existsSync(join(root, path))),
        [],
      );
    });
  }

  it("operations.md has a line for every reason, with its HTTP status and exit code", () => {
    const text = readFileSync(join(root, "docs/operations.md"), "utf8");
    for (const [reason, { http, exit }] of Object.entries(reasons)) {
      assert.ok(text.includes(`| \`${reason}\` | ${http} | ${exit} |`), reason);
    }
  });

  it("operations.md names every variable that overrides a setting", () => {
    const text = readFileSync(join(root, "docs/operations.md"), "utf8");
    assert.deepEqual(
      Object.keys(overrides).filter((name) => !text.includes(`\`${name}\``)),
      [],
    );
  });
});
