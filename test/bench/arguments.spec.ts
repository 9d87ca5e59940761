import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { names, parseArguments, usage } from "./arguments.ts";

describe("npm run bench", () => {
  it("measures everything, or what is named, in a time that is known", () => {
    assert.deepEqual([...(parseArguments([])?.wanted ?? [])], [...names]);
    const { wanted, settings, json } = parseArguments(["idle", "--runs", "2", "--seconds", "0.5", "--json", "out.json"]) ?? {};
    assert.deepEqual([[...(wanted ?? [])], settings?.runs, settings?.seconds, json], [["idle"], 2, 0.5, "out.json"]);
  });

  it("takes nothing else", () => {
    for (const args of [
      ["--bogus"],
      ["bogus"],
      ["idle", "bogus"],
      ["--runs"],
      ["--runs", "1.5"],
      ["--seconds", "0"],
      ["--seconds", "Infinity"],
      ["--concurrency", "x"],
    ])
      assert.equal(parseArguments(args), undefined, args.join(" "));
  });

  for (const script of ["run.ts", "../packaging/pack.ts"]) {
    it(`says how it is used in one line, and exits 2 (${script})`, () => {
      const file = new URL(script, import.meta.url).pathname;
      const { status, stdout, stderr } = spawnSync(process.execPath, [file, "--bogus"], { encoding: "utf8" });
      assert.deepEqual([status, stdout, stderr.trimEnd().split("\n").length], [2, "", 1], stderr);
      if (script === "run.ts") assert.equal(stderr, `${usage}\n`);
    });
  }
});
