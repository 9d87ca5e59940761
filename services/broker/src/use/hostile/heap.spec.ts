import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

describe("after answers that held values", () => {
  it("the heap holds a value in the mask set of its tree alone, and nowhere once that has ended", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-heap-"));
    try {
      const fixture = new URL("./heap.fixture.ts", import.meta.url).pathname;
      const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", fixture, folder], { maxBuffer: 1 << 20 });
      const { masked, live, ended } = JSON.parse(stdout) as { masked: number; live: object; ended: object };
      assert.ok(masked > 250, `${masked} were masked`);
      // Digits are looked for as a number; the others stand in the set's tables, which are no text.
      assert.deepEqual(live, { "any string": true, word: false, digits: true, lines: false });
      assert.deepEqual(ended, { "any string": true, word: false, digits: false, lines: false });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }).timeout(120_000);
});
