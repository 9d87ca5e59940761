import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { problemText } from "@sallyport/cedar";
import { loadBundle, parsePolicyTests, runPolicyTests, type TestResult, untestedPolicies } from "@sallyport/policy";
import { readPolicyFolder } from "./policy-folder.ts";

const folder = fileURLToPath(new URL("../../../../deploy/policies", import.meta.url));

describe("the example policies", () => {
  it("are served without a warning, pass their tests, and each of them is tested", async () => {
    const contents = await readPolicyFolder(folder);
    assert.equal(contents.kind, "read");
    const loaded = loadBundle(contents.kind === "read" ? contents.files : []);
    assert.equal(loaded.kind, "loaded", loaded.kind === "refused" ? loaded.problems.map(problemText).join("\n") : "");
    if (loaded.kind !== "loaded") return;
    assert.deepEqual(loaded.bundle.warnings.map(problemText), []);
    const results: TestResult[] = [];
    for (const name of await readdir(join(folder, "tests"))) {
      const parsed = parsePolicyTests({ name, text: await readFile(join(folder, "tests", name), "utf8") });
      assert.equal(parsed.kind, "parsed", parsed.kind === "refused" ? parsed.problems.map(problemText).join("\n") : "");
      if (parsed.kind === "parsed") results.push(...runPolicyTests(loaded.bundle, parsed.tests));
    }
    assert.deepEqual(
      results.filter(({ failure }) => failure !== undefined).map(({ file, line, name, failure }) => `${file}:${line} ${name}: ${failure}`),
      [],
    );
    assert.ok(results.length > 30);
    assert.deepEqual(untestedPolicies(loaded.bundle, results), []);
  });
});
