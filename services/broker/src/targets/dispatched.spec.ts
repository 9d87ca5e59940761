import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "undici";
import { dispatched } from "./dispatched.ts";

describe("an exchange with a target", () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  const clientOf = async (serve: RequestListener) => {
    const server = createServer(serve).listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    ends.push(
      () => client.destroy(),
      async () => {
        server.closeAllConnections();
        server.close();
      },
    );
    return client;
  };
  const get = { method: "GET", path: "/" } as const;
  const never = new AbortController().signal;
  const textOf = async (body: AsyncIterable<Uint8Array>) => {
    let text = "";
    for await (const bytes of body) text += Buffer.from(bytes).toString();
    return text;
  };

  it("gives the final answer's head, its body and its trailers", async () => {
    const client = await clientOf((_request, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      response.writeHead(201, { trailer: "x-sum", "x-two": ["a", "b"] }).write("one ");
      response.addTrailers({ "x-sum": "7" });
      response.end("two");
    });
    const answer = await dispatched(client, get, never);
    assert.deepEqual([answer.statusCode, answer.headers["x-two"]], [201, ["a", "b"]]);
    assert.equal(await textOf(answer.body), "one two");
    assert.deepEqual(answer.trailers, { "x-sum": "7" });
  });

  it("lets a target wait while nobody takes its body, and loses nothing of it", async () => {
    const total = 64 * 1024 * 1024;
    let sent = 0;
    const piece = Buffer.alloc(64 * 1024, "x");
    const client = await clientOf(async (_request, response) => {
      while (sent < total && !response.destroyed) {
        sent += piece.length;
        if (!response.write(piece)) await new Promise((resolve) => response.once("drain", resolve));
      }
      response.end();
    });
    const answer = await dispatched(client, get, never);
    for (let before = -1; before < sent; await sleep(100)) before = sent;
    assert.ok(sent < total / 2, `${sent} bytes were sent to nobody`);
    let taken = 0;
    for await (const bytes of answer.body) taken += bytes.length;
    assert.equal(taken, total);
  });

  it("fails with the reason for which it was given up: before, at and after the answer's beginning, and ends the upload with it", async () => {
    const client = await clientOf((request, response) => {
      if (request.url === "/begun") response.write("some");
    });
    const reason = new Error("given up");
    await assert.rejects(dispatched(client, get, AbortSignal.abort(reason)), reason);
    const silent = new AbortController();
    const body = new Readable({ read: () => undefined });
    const asked = dispatched(client, { method: "POST", path: "/", body }, silent.signal);
    setTimeout(() => silent.abort(reason), 20);
    await assert.rejects(asked, reason);
    assert.ok(body.destroyed);
    const begun = new AbortController();
    const answer = await dispatched(client, { ...get, path: "/begun" }, begun.signal);
    const pieces = answer.body[Symbol.asyncIterator]();
    assert.equal(Buffer.from((await pieces.next()).value as Uint8Array).toString(), "some");
    setTimeout(() => begun.abort(reason), 20);
    await assert.rejects(pieces.next(), reason);
  });

  it("fails where the target breaks off, and says nothing more once it was discarded", async () => {
    const client = await clientOf((request, response) => {
      response.writeHead(200, { "content-length": 100 }).write("short");
      if (request.url === "/cut") setTimeout(() => response.destroy(), 20);
    });
    const cut = await dispatched(client, { ...get, path: "/cut" }, never);
    await assert.rejects(textOf(cut.body), /other side closed|terminated/);
    const left = await dispatched(client, get, never);
    left.discard();
    await assert.rejects(textOf(left.body), /given up/);
  });
});
