import assert from "node:assert/strict";
import { memoryOfStreams } from "./open-streams.ts";

/** MiB in the 10⁶ bytes that are measured in. */
const mebibyte = 1.048576;

describe("memory while answers stream", () => {
  it("with 500 streams open is flat, and bounded", async function () {
    this.timeout(300_000);
    const { idle, open } = await memoryOfStreams(500, 8);
    const over = open.map((held) => Math.round(held - idle));
    // 64 MiB is what it should be; 62 to 95 MB are what it is, by when V8 collects, and up to 134 where a machine has much else to do.
    assert.ok(Math.max(...over) <= 160 * mebibyte, `${over} MB over ${Math.round(idle)} MB`);
    assert.ok((over.at(-1) as number) - (over[3] as number) < 8, `it grows: ${over} MB over idle`);
  });
});
