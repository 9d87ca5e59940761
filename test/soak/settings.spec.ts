import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { parseSoakSettings } from "./settings.ts";

describe("npm run soak", () => {
  it("takes its numbers by flag, and draws a seed where none is given", () => {
    const settings = parseSoakSettings(["--seconds", "600", "--agents", "500", "--seed", "7"]);
    assert.ok(settings !== "help");
    assert.deepEqual([settings.seconds, settings.agents, settings.trees, settings.faultEvery, settings.seed], [600, 500, 50, 20, 7]);
    const drawn = parseSoakSettings([]);
    assert.ok(drawn !== "help" && Number.isInteger(drawn.seed));
  });

  for (const args of [
    ["--seconds", "soon"],
    ["--seconds", ""],
    ["--seconds", "-5"],
    ["--agents", "2.5"],
    ["--agents", "10", "--trees", "20"],
    ["--speed", "9"],
    ["more"],
  ])
    it(`does not understand ${args.join(" ")}`, () => assert.throws(() => parseSoakSettings(args), Error));

  it("says how it is used where it does not understand, and ends with 2", () => {
    const ran = spawnSync(process.execPath, [new URL("main.ts", import.meta.url).pathname, "--seconds", "soon"], { encoding: "utf8" });
    assert.equal(ran.status, 2, ran.stderr);
    assert.match(ran.stderr, /^--seconds soon: give a number from 5 to 86400\.\n\nnpm run soak -- \[--seconds N\]/m);
    assert.equal(ran.stdout, "");
  });
});
