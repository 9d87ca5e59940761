import assert from "node:assert/strict";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { readEvidence, settledEvidence } from "../faults/evidence-log.ts";
import { itWith, tools } from "../support/it-with.ts";
import { newCanary, type ProxySite, proxySite } from "./proxy-site.ts";
import { RawTool } from "./raw-tool.ts";
import { startWebSockets, type WebSocketTarget } from "./web-socket-target.ts";

const placeholder = "[sallyport:prod/orders/read#token]";

describe("PROX-11: WebSockets by the proxy", function () {
  this.timeout(60_000);
  const canary = newCanary();
  const half = canary.length >> 1;
  let target: WebSocketTarget;
  let site: ProxySite;
  let tool: RawTool;
  const scripts: Record<string, (socket: WebSocket) => void> = {
    "/text": (socket) => socket.send(`you are ${canary}!`),
    "/binary": (socket) => socket.send(Buffer.from(`\0${canary}\xff`, "latin1")),
    "/base64": (socket) => socket.send(JSON.stringify({ as: Buffer.from(`xy${canary}z`).toString("base64") })),
    "/fragments": (socket) => {
      socket.send(`it is ${canary.slice(0, 5)}`, { fin: false });
      socket.ping("between");
      socket.send(canary.slice(5, 20), { fin: false });
      socket.send(`${canary.slice(20)}.`, { fin: true });
    },
    "/ping": (socket) => {
      socket.ping(canary);
      socket.pong(canary);
      socket.send("after the ping");
    },
    "/close": (socket) => socket.close(4001, `because ${canary}`),
    "/deltas": (socket) => {
      for (const delta of ["it is ", canary.slice(0, half), canary.slice(half), ", it is"])
        socket.send(JSON.stringify({ type: "delta", delta }));
      socket.send(JSON.stringify({ type: "done" }));
    },
    "/cut": (socket) => {
      socket.send("in the open: ");
      for (const character of canary) socket.send(character);
      socket.send(" was it");
    },
    "/cut-by-the-close": (socket) => {
      socket.send(canary.slice(0, -3));
      socket.close(1000, canary.slice(-3));
    },
    "/breaks-off": (socket) => setTimeout(() => socket.terminate(), 50),
    "/many": (socket) => {
      for (let n = 0; n < 400; n++) socket.send(JSON.stringify({ n, text: "x".repeat(1000) }));
      socket.close(1000);
    },
  };
  before(async () => {
    target = await startWebSockets("ws.a.test", canary, scripts);
    const paths = ["/echo", "/refused", ...Object.keys(scripts)];
    site = await proxySite(canary, {
      sockets: { server: target, allow: [...paths.map((path) => `WEBSOCKET ${path}`), "GET /only-http"] },
    });
    tool = await RawTool.start(site);
  });
  after(async () => {
    await tool?.stop();
    await site?.stop();
    await target?.stop();
  });
  beforeEach(() => {
    target.messages.length = 0;
    target.upgrades.length = 0;
    target.closed.length = 0;
  });

  const open = async (path: string, options: { protocols?: string[]; headers?: Record<string, string>; by?: RawTool } = {}) => {
    const connection = await (options.by ?? tool).to("ws.a.test", target.port);
    return new WebSocket(`wss://ws.a.test:${target.port}${path}`, options.protocols ?? [], {
      createConnection: () => connection as never,
      ...(options.headers === undefined ? {} : { headers: options.headers }),
    });
  };
  /** Everything that comes, to the close. */
  const heard = async (socket: WebSocket, enough = Number.POSITIVE_INFINITY) => {
    const messages: Buffer[] = [];
    const others: string[] = [];
    socket.on("ping", (data: Buffer) => others.push(data.toString())).on("pong", (data: Buffer) => others.push(data.toString()));
    const closed = once(socket, "close") as Promise<[number, Buffer]>;
    socket.on("message", (data: Buffer) => {
      messages.push(data);
      if (messages.length >= enough) socket.close(1000);
    });
    socket.on("error", () => undefined);
    const [code, reason] = await closed;
    return { messages: messages.map((one) => one.toString("latin1")), others, code, reason: reason.toString() };
  };
  const refusal = async (socket: WebSocket) => {
    const [, answer] = await once(socket, "unexpected-response");
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece);
    return { status: answer.statusCode as number, headers: answer.headers, text: Buffer.concat(pieces).toString() };
  };

  const untilHeard = (socket: NodeJS.ReadableStream, words: string) =>
    new Promise<string>((resolve, reject) => {
      let text = "";
      socket.on("data", (piece: Buffer) => {
        text += piece.toString("latin1");
        if (text.includes(words)) resolve(text);
      });
      socket.on("close", () => reject(new Error(`closed after: ${text}`)));
    });

  it("open with the secret that the tool does not have, and carry text, bytes, subprotocols and close codes both ways", async () => {
    const socket = await open("/echo", { protocols: ["v1.a", "v2.b"], headers: { authorization: "Bearer mine" } });
    await once(socket, "open");
    assert.equal(socket.protocol, "v2.b");
    assert.equal(socket.extensions, "");
    const bytes = Buffer.from([0, 1, 2, 254, 255]);
    const echoed: [Buffer, boolean][] = [];
    socket.on("message", (data: Buffer, binary) => echoed.push([data, binary]));
    socket.send("grüße");
    socket.send(bytes);
    while (echoed.length < 2) await once(socket, "message");
    assert.deepEqual(echoed, [
      [Buffer.from("grüße"), false],
      [bytes, true],
    ]);
    socket.close(4321, "so long");
    const [code] = await once(socket, "close");
    assert.equal(code, 4321);
    while (target.closed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(target.closed, [4321]);
    const { headers } = target.upgrades[0] as { headers: Record<string, string> };
    assert.equal(headers.authorization, `Bearer ${canary}`);
    assert.equal(headers["sec-websocket-extensions"], undefined);
  });

  for (const path of ["/text", "/binary", "/fragments"]) {
    it(`never show the value: ${path.slice(1)}`, async () => {
      const { messages } = await heard(await open(path), 1);
      assert.equal(messages.length, 1);
      assert.ok(messages[0]?.includes(placeholder) && !messages[0].includes(canary), messages.join());
    });
  }

  it("never show it encoded, in a ping's or pong's payload, or in a close's reason", async () => {
    const { messages } = await heard(await open("/base64"), 1);
    assert.ok(!JSON.parse(messages[0] as string).as.includes(Buffer.from(canary).toString("base64").slice(8, 24)));
    const pinged = await heard(await open("/ping"), 1);
    assert.deepEqual(pinged.messages, ["after the ping"]);
    assert.deepEqual(pinged.others, []);
    const closed = await heard(await open("/close"));
    assert.deepEqual([closed.code, closed.reason], [4001, `because ${placeholder}`]);
  });

  it("never show it cut into several: as deltas of JSON, character by character, or in the close", async () => {
    const half = canary.slice(0, canary.length >> 1);
    for (const path of ["/deltas", "/cut", "/cut-by-the-close"]) {
      const { messages, code, reason } = await heard(await open(path));
      const text = messages.join("");
      assert.ok(!text.includes(half) && !`${text}${reason}`.includes(canary), text);
      if (path !== "/cut-by-the-close") assert.deepEqual([code, reason], [1008, "RESPONSE_UNINSPECTABLE"]);
      else assert.equal(reason, "");
    }
  });

  it("carry many messages in order", async () => {
    const { messages, code } = await heard(await open("/many"));
    assert.equal(code, 1000);
    assert.deepEqual(
      messages.map((one) => JSON.parse(one).n),
      Array.from({ length: 400 }, (_, n) => n),
    );
  });

  it("let no value out: a message with one in it ends the conversation, and does not arrive", async () => {
    const secretOf = async (text: string) => {
      const socket = await open("/echo");
      await once(socket, "open");
      socket.send("before");
      await once(socket, "message");
      socket.send(text);
      return heard(socket);
    };
    for (const text of [canary, `x${Buffer.from(canary).toString("hex")}`, `{"to":"${placeholder}"}`]) {
      const { code, reason, messages } = await secretOf(text);
      assert.deepEqual([code, reason, messages], [1008, "GUARDRAIL_BLOCKED", []]);
    }
    assert.deepEqual(target.messages, ["before", "before", "before"]);
  });

  it("are an action of their own: not opened where only GET is listed, nor by anything but such an upgrade", async () => {
    const other = await refusal(await open("/only-http"));
    assert.equal(other.status, 403);
    assert.match(other.text, /"DESTINATION_NOT_ALLOWED"/);
    const host = `ws.a.test:${target.port}`;
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    const proper = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", key];
    for (const [line, headers] of [
      ["POST /echo", proper],
      ["GET /echo", proper.slice(1)],
      ["GET /echo", [...proper.slice(0, 2), "Sec-WebSocket-Version: 8", key]],
      ["GET /echo", [...proper.slice(0, 3), "Sec-WebSocket-Key: short"]],
      ["GET /echo", [...proper.slice(0, 3)]],
      ["GET /echo", [...proper, key]],
      ["GET /echo", [...proper, "Content-Length: 4"]],
      ["GET /echo", [...proper, "Sec-WebSocket-Protocol: a, a"]],
      ["GET /echo", [...proper, "Sec-WebSocket-Protocol: a b"]],
      ["GET /echo", ["Connection: Upgrade", "Upgrade: websocket, h2c", ...proper.slice(2)]],
      ["GET /echo", [...proper, `Sec-WebSocket-Protocol: ${canary}`]],
    ] as const) {
      const socket = await tool.to("ws.a.test", target.port);
      const { text } = await tool.exchange(socket, `${line} HTTP/1.1\r\nHost: ${host}\r\n${headers.join("\r\n")}\r\n\r\n`);
      assert.match(text, /^HTTP\/1\.1 40[03]/, `${line} ${headers}`);
    }
    assert.equal(target.upgrades.length, 0);
  });

  describe("asked for behind other requests, in one write", () => {
    const host = () => `ws.a.test:${target.port}`;
    const opening = (path = "/text") =>
      `GET ${path} HTTP/1.1\r\nHost: ${host()}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;
    const plain = (more = "") => `GET /only-http HTTP/1.1\r\nHost: ${host()}\r\n${more}\r\n`;

    it("open in their turn: every answer before them comes first, whole", async () => {
      const socket = await tool.to("ws.a.test", target.port);
      const [text] = await Promise.all([untilHeard(socket, placeholder), socket.write(`${plain()}${plain()}${opening()}\r\n`)]);
      assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 426", "HTTP/1.1 426", "HTTP/1.1 101"]);
      socket.destroy();
    });

    it("never end the broker, in a tunnel or at the door, whatever answer is still to come", async () => {
      const proven = tool.authorization;
      for (const [socket, bytes] of [
        [await tool.to("ws.a.test", target.port), `${plain("Expect: a-miracle\r\n")}${opening()}\r\n`],
        [await tool.to("ws.a.test", target.port), `${plain()}${plain("Expect: a-miracle\r\n")}${opening("/refused")}\r\n`],
        [await tool.door(), `${plain(proven)}${opening()}${proven}\r\n`],
        [await tool.door(), `GET /.well-known/sallyport-proxy HTTP/1.1\r\nHost: x\r\n\r\n${opening()}\r\n`],
        [await tool.door(), `${plain()}${opening()}\r\n`],
      ] as const) {
        await tool.exchange(socket, bytes, 2);
        socket.destroy();
      }
      // It hangs up before its turn has come.
      const hasty = await tool.to("ws.a.test", target.port);
      hasty.write(`${plain()}${opening()}\r\n`, () => hasty.destroy());
      const { messages } = await heard(await open("/text"), 1);
      assert.deepEqual(messages, [`you are ${placeholder}!`]);
    });
  });

  it("pass on, masked, what a target answers that opens none; and say it where one breaks off", async () => {
    const { status, headers, text } = await refusal(await open("/refused"));
    assert.deepEqual([status, headers["x-was"], text], [418, placeholder, placeholder]);
    const { code, reason } = await heard(await open("/breaks-off"));
    assert.deepEqual([code, reason], [1011, "OUTCOME_UNKNOWN"]);
  });

  it("are cut on both sides once their agent is revoked", async () => {
    const child = await RawTool.start(site, "revoked");
    const socket = await open("/echo", { by: child });
    await once(socket, "open");
    const over = heard(socket);
    await child.agent.end();
    const { code, reason } = await over;
    assert.deepEqual([code, reason], [1008, "CREDENTIAL_REVOKED"]);
    while (target.closed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await child.stop();
  });

  it("are on record: the intent before the upgrade, and how it ended", async () => {
    await settledEvidence(site.log);
    const uses = readEvidence(site.log).filter(({ metadata }) => metadata.event_code === "secret.use");
    const opened = uses.filter((one) => JSON.stringify(one).includes("WEBSOCKET /echo"));
    assert.ok(opened.some(({ status, unmapped }) => status === "Success" && unmapped.sallyport.details?.messages_in === 2));
    assert.ok(uses.some(({ status_code }) => status_code === "RESPONSE_UNINSPECTABLE"));
    assert.ok(!JSON.stringify(uses).includes(canary));
  });

  itWith([tools.bubblewrap], "by Node's own WebSocket, by sallyport run; and at a base URL", async () => {
    const script = fileURLToPath(new URL("tools/web-socket.mjs", import.meta.url));
    const { code, stdout, stderr } = await site.run([process.execPath, script, `wss://ws.a.test:${target.port}/text`]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `you are ${placeholder}!\nyou are ${placeholder}!\n`);
  });
});
