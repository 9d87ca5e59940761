import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Reason, Refusal } from "@sallyport/contracts";
import { type Inject, parseConfig } from "@sallyport/service";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { fill } from "./inject/fill.ts";
import { parseOperation, withUpload } from "./operation.ts";
import { Sender } from "./sender.ts";

const canary = "canary-4711-token";
const { listen, services } = parseConfig("version: 1\ntrustDomain: example.internal\n", "sallyport.yaml");
const allow = [
  ...["GET", "POST", "PUT", "DELETE", "HEAD"].map((method) => ({ method, path: "/v1/orders/{id}" })),
  { method: "GET", path: "/{package}" },
];

describe("sending an operation to its target", () => {
  const servers: Server[] = [];
  let seen: { method: string; url: string; headers: [string, string][]; body: string }[] = [];

  const open = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  };
  const target = (answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end("ok")) =>
    open(
      createServer((request, response) => {
        const pieces: Buffer[] = [];
        request.on("data", (piece) => pieces.push(piece));
        request.on("end", () => {
          const raw = request.rawHeaders;
          const headers = raw.flatMap((name, at): [string, string][] =>
            at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] as string]] : [],
          );
          seen.push({ method: request.method ?? "", url: request.url ?? "", headers, body: Buffer.concat(pieces).toString() });
          answer(request, response);
        });
      }),
    );
  /** A target that says exactly these bytes, and keeps what it got. */
  const rawTarget = async (said: string, then: (socket: Socket) => void = (socket) => socket.end()) => {
    const got: string[] = [];
    const port = await open(
      createTcpServer((socket) => {
        const index = got.push("") - 1;
        socket.on("error", () => undefined);
        socket.on("data", (data) => {
          got[index] += data.toString("latin1");
          if (got[index]?.includes("\r\n\r\n")) socket.write(said, () => then(socket));
        });
      }),
    );
    return { port, got };
  };
  const config = (port: number, more: Partial<TargetConfig> = {}): TargetConfig => ({
    kind: "http",
    baseUrl: `http://127.0.0.1:${port}`,
    secret: "prod/orders/api",
    inject: { bearer: "token" },
    allow,
    network: ["127.0.0.0/8"],
    maxBodyBytes: 65_536,
    timeoutSeconds: 5,
    ca: undefined,
    ...more,
  });
  interface Sketch {
    method?: string;
    path?: string;
    headers?: Record<string, string>;
    body?: string;
    value?: string;
    signal?: AbortSignal;
    pieces?: () => AsyncIterable<Uint8Array>;
    size?: number;
  }
  const send = async (
    with_: TargetConfig,
    { method = "GET", path = "/v1/orders/42", headers = {}, body = "", value = canary, signal, pieces, size = 0 }: Sketch = {},
  ) => {
    const sender = new Sender({ targets: { "orders-api": with_ }, listen, services });
    const listed = Object.entries(headers).map(([name, value]) => ({ $typeName: "sallyport.broker.v1.Header" as const, name, value }));
    const parsed = parseOperation("orders-api", with_, { method, path, headers: listed, body: Buffer.from(body) });
    const operation = pieces === undefined ? parsed : withUpload(parsed, { size, sha256: "0".repeat(64), pieces: pieces() });
    const answer = await sender.send(
      operation,
      fill(operation, with_.inject as Inject, new Map([["token", Buffer.from(value, "latin1")]])),
      signal ?? new AbortController().signal,
    );
    return { ...answer, text: () => textOf(answer.body) };
  };

  beforeEach(() => {
    seen = [];
  });
  afterEach(() => {
    for (const server of servers.splice(0)) {
      (server as ReturnType<typeof createServer>).closeAllConnections?.();
      server.close();
    }
  });

  it("puts the secret in after everything else, and sends the judged bytes below the base URL", async () => {
    const port = await target();
    const answer = await send(config(port, { baseUrl: `http://127.0.0.1:${port}/shop/` }), {
      method: "POST",
      path: "/v1/orders/a%2fb?x=1&x=2",
      headers: { "X-Tenant": "mine", "content-type": "text/plain" },
      body: "hello",
    });
    assert.equal(await answer.text(), "ok");
    const [got] = seen;
    assert.deepEqual([got?.method, got?.url, got?.body], ["POST", "/shop/v1/orders/a%2fb?x=1&x=2", "hello"]);
    const byName = Object.fromEntries(got?.headers ?? []);
    assert.equal(byName.authorization, `Bearer ${canary}`);
    assert.deepEqual(
      [byName["x-tenant"], byName["content-length"], byName.host, byName["accept-encoding"]],
      ["mine", "5", `127.0.0.1:${port}`, "identity"],
    );
    assert.equal(new Set(got?.headers.map(([name]) => name)).size, got?.headers.length, "no header twice");
  });

  it("PROX-31: sends a single-layer %2f byte for byte", async () => {
    const port = await target();
    for (const path of ["/@acme%2fwidget", "/@acme%2Fwidget"]) await (await send(config(port), { path })).text();
    assert.deepEqual(
      seen.map(({ url }) => url),
      ["/@acme%2fwidget", "/@acme%2Fwidget"],
    );
  });

  it("sends the secret in a header of the target's choice", async () => {
    const port = await target();
    await (await send(config(port, { inject: { header: { name: "X-Shop-Key", field: "token" } } }), { value: "two words" })).text();
    assert.equal(Object.fromEntries(seen[0]?.headers ?? [])["x-shop-key"], "two words");
  });

  it("sends no value that no header can carry, nor anything where the field is missing", async () => {
    const port = await target();
    for (const value of ["", "a\r\nx: y", "a\nb", "a b", " ", "a\0", "\u007f"])
      await refused(send(config(port), { value }), "STORE_UNAVAILABLE", /Nothing was sent/);
    await refused(send(config(port, { inject: { bearer: "password" } })), "STORE_UNAVAILABLE", /"password"/);
    assert.deepEqual(seen, []);
  });

  it("PROX-03: follows no redirect, so the secret goes nowhere else", async () => {
    const elsewhere = await target();
    for (const [status, location] of [
      [302, "https://other.test/"],
      [302, `http://127.0.0.1:${elsewhere}/collect`],
      [307, `http://127.0.0.1:${elsewhere}/collect`],
      [308, `http://127.0.0.1:${elsewhere}/collect`],
      [303, "//127.0.0.1/collect"],
    ] as const) {
      const port = await target((_, response) => response.writeHead(status, { location: `${location}?token=${canary}` }).end("moved"));
      const answer = await send(config(port), { method: "POST", body: "{}" });
      assert.equal(answer.status, status);
      assert.equal(Object.fromEntries(answer.headers).location, `${location}?token=${canary}`, "left to the masker");
      assert.equal(await answer.text(), "moved");
    }
    assert.ok(seen.every(({ url }) => url === "/v1/orders/42"));
  });

  it("PROX-19: does not reach Sallyport's own doors, though loopback is listed", async () => {
    const doors = { ...listen, agents: { host: "0.0.0.0", port: await target() } };
    const with_ = config(doors.agents.port);
    const sender = new Sender({ targets: { "orders-api": with_ }, listen: doors, services });
    const operation = parseOperation("orders-api", with_, { method: "GET", path: "/v1/orders/42", headers: [], body: new Uint8Array() });
    await refused(
      sender.send(
        operation,
        fill(operation, with_.inject as Inject, new Map([["token", Buffer.from(canary)]])),
        new AbortController().signal,
      ),
      "DESTINATION_NOT_ALLOWED",
      /door of Sallyport/,
    );
    assert.deepEqual(seen, []);
  });

  it("reaches only what the target's network lists", async () => {
    const port = await target();
    await refused(
      send(config(port, { network: [] })),
      "DESTINATION_NOT_ALLOWED",
      /127\.0\.0\.1 is a loopback address.*targets\.orders-api\.network/,
    );
    await refused(send(config(port), { path: "/v2/other/x" }), "DESTINATION_NOT_ALLOWED");
    await refused(send(config(port), { method: "POST", body: "x".repeat(65_537) }), "TOO_LARGE", /65536/);
    assert.deepEqual(seen, []);
  });

  describe("a target that fails", () => {
    it("takes no connection: nothing was sent", async () => {
      const server = createTcpServer();
      const port = await open(server);
      await new Promise((resolve) => server.close(resolve));
      const refusal = await refused(send(config(port), { method: "POST" }), "TARGET_UNAVAILABLE", /ECONNREFUSED/);
      assert.equal(refusal.metadata.effect, "none");
    });

    it("never answers: given up in time, and honest about the effect", async () => {
      const port = await target(() => undefined);
      const began = performance.now();
      await refused(send(config(port, { timeoutSeconds: 0.2 })), "TARGET_UNAVAILABLE", /within 0.2 s/);
      const refusal = await refused(
        send(config(port, { timeoutSeconds: 0.2 }), { method: "POST" }),
        "OUTCOME_UNKNOWN",
        /may have happened/,
      );
      assert.equal(refusal.metadata.effect, "unknown");
      assert.ok(performance.now() - began < 3000);
    });

    it("stops in the middle of its answer", async () => {
      const port = await target((_, response) =>
        response.writeHead(200, { "content-length": "10" }).write("12345", () => sleep(20).then(() => response.destroy())),
      );
      await refused((await send(config(port), { method: "POST" })).text(), "OUTCOME_UNKNOWN");
      await refused((await send(config(port))).text(), "TARGET_UNAVAILABLE");
    });

    it("answers more than is allowed: cut off, in body and in headers", async () => {
      const long = await target((_, response) => response.end("x".repeat(70_000)));
      await refused((await send(config(long))).text(), "RESPONSE_UNINSPECTABLE", /65536/);
      assert.equal((await (await send(config(long, { maxBodyBytes: 70_000 }))).text()).length, 70_000);
      const { port } = await rawTarget(`HTTP/1.1 200 OK\r\n${`x-a: ${"y".repeat(8000)}\r\n`.repeat(9)}\r\n`);
      await refused(send(config(port)), "RESPONSE_UNINSPECTABLE", /headers/);
    });
  });

  describe("PROX-07: framing", () => {
    it("is one request of declared length on a connection of its own", async () => {
      const { port, got } = await rawTarget(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        () => undefined,
      );
      assert.equal(await (await send(config(port), { method: "DELETE", body: "x\r\n\r\nGET /admin HTTP/1.1\r\n\r\n" })).text(), "ok");
      assert.equal(await (await send(config(port))).text(), "ok");
      assert.equal(got.length, 2, "two connections");
      assert.match(got[0] as string, /^DELETE \/v1\/orders\/42 HTTP\/1\.1\r\n/);
      assert.equal(got[0]?.match(/content-length: 28\r\n/g)?.length, 1);
      assert.ok(!/transfer-encoding/i.test(got.join("")));
      assert.ok(got.every((request) => /connection: close\r\n/i.test(request)));
    });

    const ambiguous: Record<string, string> = {
      "two lengths": "content-length: 2\r\ncontent-length: 3\r\n\r\nokx",
      "a list of lengths": "content-length: 5, 5\r\n\r\nokxxx",
      "a signed length": "content-length: +2\r\n\r\nok",
      "chunked and a length": "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      "a vertical tab before chunked": "transfer-encoding:\x0bchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      "a line feed in a chunk's extension": "transfer-encoding: chunked\r\n\r\n2;x\nX\r\nok\r\n0\r\n\r\n",
      "bare line feeds": "x-a: b\ncontent-length: 2\n\nok",
      "a folded header": "x-a: b\r\n c\r\ncontent-length: 2\r\n\r\nok",
      "a NUL in a header": "x-a: b\0c\r\ncontent-length: 2\r\n\r\nok",
    };
    for (const [what, rest] of Object.entries(ambiguous)) {
      it(`that is ambiguous in an answer is refused: ${what}`, async () => {
        const { port } = await rawTarget(`HTTP/1.1 200 OK\r\n${rest}`);
        await refused(
          send(config(port)).then((answer) => answer.text()),
          "TARGET_UNAVAILABLE",
        );
      });
    }

    it("that is plain is read: chunked with trailers, early hints before", async () => {
      const said =
        "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: x-hop\r\nx-hop: 1\r\nx-a: 1\r\nx-a: 2\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 9\r\n\r\n";
      const { port } = await rawTarget(said);
      const answer = await send(config(port));
      assert.equal(await answer.text(), "ok");
      assert.deepEqual(answer.headers, [
        ["x-a", "1"],
        ["x-a", "2"],
      ]);
      assert.deepEqual(answer.trailers(), [["x-sum", "9"]]);
    });
  });

  describe("an upload", () => {
    const pieces = (...texts: string[]) =>
      async function* () {
        for (const text of texts) yield Buffer.from(text);
      };

    it("goes on with the declared length", async () => {
      const port = await target();
      await (await send(config(port), { method: "PUT", pieces: pieces("hel", "", "lo"), size: 5 })).text();
      assert.equal(seen[0]?.body, "hello");
      assert.equal(Object.fromEntries(seen[0]?.headers ?? [])["content-length"], "5");
    });

    it("is no whole request where it fails, or is longer or shorter than declared", async () => {
      const port = await target();
      const failing = async function* () {
        yield Buffer.from("hell");
        throw new Refusal("INVALID_REQUEST", "The body is not the one that its head declares.");
      };
      await refused(send(config(port), { method: "PUT", pieces: failing, size: 5 }), "INVALID_REQUEST", /not the one/);
      await refused(send(config(port), { method: "PUT", pieces: pieces("hello!"), size: 5 }), "OUTCOME_UNKNOWN");
      await refused(send(config(port), { method: "PUT", pieces: pieces("hell"), size: 5 }), "OUTCOME_UNKNOWN");
      assert.deepEqual(seen, []);
    });

    it("has its time from its last piece on", async () => {
      const port = await target();
      const slow = async function* () {
        for (const text of ["a", "b", "c", "d"]) {
          await sleep(120);
          yield Buffer.from(text);
        }
      };
      await (await send(config(port, { timeoutSeconds: 0.3 }), { method: "PUT", pieces: slow, size: 4 })).text();
      assert.equal(seen[0]?.body, "abcd");
    });
  });

  describe("giving up", () => {
    it("reaches the target while it is awaited and in the middle of its answer, with the reason given", async () => {
      let closed = 0;
      const port = await target((request, response) => {
        request.socket.on("close", () => closed++);
        if (request.method === "POST") response.write("begun");
      });
      const waiting = new AbortController();
      const call = refused(send(config(port), { signal: waiting.signal }), "CREDENTIAL_REVOKED");
      await until(() => seen.length === 1);
      waiting.abort(new Refusal("CREDENTIAL_REVOKED", "revoked"));
      await call;
      const reading = new AbortController();
      const answer = await send(config(port), { method: "POST", signal: reading.signal });
      const rest = refused(answer.text(), "CREDENTIAL_REVOKED");
      reading.abort(new Refusal("CREDENTIAL_REVOKED", "revoked"));
      await rest;
      await until(() => closed === 2);
    });

    it("closes the connection where the answer is left unread", async () => {
      let closed = 0;
      const port = await target((request, response) => {
        request.socket.on("close", () => closed++);
        response.write("begun");
      });
      const one = await send(config(port));
      one.discard();
      const two = await send(config(port));
      for await (const _ of two.body) break;
      await until(() => closed === 2);
    });
  });

  it("is not begun with rules that say less than they seem to", () => {
    const targets = { "orders-api": config(1, { allow: [{ method: "GET", path: "/*" }] }) };
    assert.throws(() => new Sender({ targets, listen, services }), /targets\.orders-api\.allow\[0\]\.path/);
  });
});

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done(); tries++) {
    assert.ok(tries < 200, "in time");
    await sleep(10);
  }
}

async function refused(call: Promise<unknown>, reason: Reason, sentence = /./): Promise<Refusal> {
  const error = await call.then(
    () => assert.fail("was not refused"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Refusal, String(error));
  assert.equal(error.reason, reason, `${error.message} ${String(error.cause)}`);
  assert.match(error.message, sentence);
  assert.ok(!error.message.includes(canary));
  return error;
}
