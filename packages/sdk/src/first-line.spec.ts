import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { firstLine } from "./first-line.ts";

describe("the first line of a pipe", () => {
  it("is read across pieces, and what follows it stays in the pipe", async () => {
    const pipe = new PassThrough();
    const line = firstLine(pipe, "ticket:");
    pipe.write("noise\ntick");
    setImmediate(() => pipe.write("et:ü\r\nmore\nand m"));
    assert.equal(await line, "ticket:ü");
    pipe.end("ore");
    let rest = "";
    for await (const piece of pipe) rest += piece;
    assert.equal(rest, "more\nand more");
  });

  it("leaves a pipe that has an encoding readable by events", async () => {
    const pipe = new PassThrough({ encoding: "utf8" });
    const line = firstLine(pipe, "");
    pipe.write("one\ntwo");
    assert.equal(await line, "one");
    const next = new Promise((resolve) => pipe.once("data", resolve));
    assert.equal(await next, "two");
  });

  it("is refused where the pipe ends first, or never has it", async () => {
    const short = new PassThrough();
    short.end("ticket:without a line break");
    await assert.rejects(firstLine(short, "ticket:"), { reason: "TICKET_INVALID" });
    const long = new PassThrough();
    const line = firstLine(long, "ticket:");
    long.write("x".repeat(200_000));
    await assert.rejects(line, { reason: "TICKET_INVALID" });
  });

  it("is waited for no longer than the signal allows", () =>
    assert.rejects(firstLine(new PassThrough(), "", AbortSignal.timeout(10)), { name: "TimeoutError" }));
});
