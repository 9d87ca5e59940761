import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { enrol, spawnChild } from "./enrolment.ts";
import type { Session } from "./session.ts";

describe("starting a nested agent", () => {
  const asked: unknown[] = [];
  const session = {
    endpoints: { authn: "127.0.0.1:1", broker: "127.0.0.1:1", audience: "https://example.internal" },
    delegations: {
      issueTicket: async (request: unknown) => {
        asked.push(request);
        return { ticket: "t.i.cket", sessionId: "s".repeat(22) };
      },
    },
  } as unknown as Session;
  const delegation = { name: "deploy", ceiling: { entries: [] } };
  const script = (code: string, enrolMs?: number) =>
    spawnChild(session, process.execPath, ["-e", code], { ...delegation, ...(enrolMs === undefined ? {} : { enrolMs }) });

  it("asks for a ticket for the key that the child told, and hands it over on its standard input", async () => {
    const { child, sessionId } = await script(
      'console.log("starting\\nsallyport-thumbprint:the-thumbprint"); process.stdin.once("data", (line) => console.log("got " + line))',
    );
    assert.equal(sessionId, "s".repeat(22));
    assert.equal((asked.at(-1) as { childThumbprint: string }).childThumbprint, "the-thumbprint");
    let printed = "";
    child.stdin?.end();
    for await (const piece of child.stdout ?? []) printed += piece;
    assert.match(printed, /^got sallyport-ticket:/);
  });

  it("is refused where the command cannot be started, ends, or tells no key in time", async () => {
    await assert.rejects(spawnChild(session, "/nowhere/agent", [], delegation), { reason: "INVALID_REQUEST", message: /\/nowhere\/agent/ });
    await assert.rejects(script(""), { reason: "TICKET_INVALID" });
    await assert.rejects(script("setTimeout(() => {}, 60_000)", 300), { reason: "TICKET_INVALID", message: /in time/ });
  });

  it("has the child tell its thumbprint, and wait for the line", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const line = enrol("thumb", input, output);
    assert.equal(String(output.read()), "sallyport-thumbprint:thumb\n");
    input.write("sallyport-ticket:x\n");
    assert.equal(await line, "sallyport-ticket:x");
  });
});
