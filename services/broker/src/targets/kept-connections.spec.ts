import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import { parseConfig } from "@sallyport/service";
import { Client } from "undici";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { fill } from "./inject/fill.ts";
import { KeptConnections } from "./kept-connections.ts";
import { parseOperation } from "./operation.ts";
import { type Holder, Sender } from "./sender.ts";

const { listen, services } = parseConfig("version: 1\ntrustDomain: example.internal\n", "sallyport.yaml");
const answered = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

describe("connections to targets", () => {
  let server: Server;
  let sockets: Socket[];
  let closed: number;
  let sender: Sender;
  let targets: Record<string, TargetConfig>;
  /** What the target says to the n-th request of its n-th connection, both from 1. */
  let says: (connection: number, request: number, socket: Socket) => string;

  beforeEach(async () => {
    [sockets, closed] = [[], 0];
    says = (connection, request) => answered(`${connection}.${request}`);
    server = createServer((socket) => {
      const connection = sockets.push(socket);
      let requests = 0;
      socket.on("error", () => undefined).on("close", () => closed++);
      socket.on("data", () => socket.write(says(connection, ++requests, socket)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const target: TargetConfig = {
      kind: "http",
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      secret: "prod/orders/api",
      inject: { bearer: "token" },
      allow: ["GET", "POST", "HEAD"].map((method) => ({ method, path: "/{id}" })),
      network: ["127.0.0.0/8"],
      maxBodyBytes: 100,
      timeoutSeconds: 5,
      ca: undefined,
    };
    targets = { one: target, other: { ...target } };
    sender = new Sender({ targets, listen, services });
  });
  afterEach(async () => {
    await sender.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  const agent: Holder = {
    sid: "agent",
    secret: "prod/orders/api",
    secretVersion: "1",
    policyVersion: "p1",
    live: () => true,
    assertLive: () => {},
  };
  const begin = (holder: Holder | undefined, { method = "GET", target = "one", body = "" } = {}) => {
    const operation = parseOperation(target, targets[target], { method, path: "/1", headers: [], body: Buffer.from(body) });
    const injected = fill(operation, { bearer: "token" }, new Map([["token", Buffer.from("canary-4711-token")]]));
    return sender.send(operation, injected, new AbortController().signal, holder);
  };
  const send = async (holder: Holder | undefined, how: { method?: string; target?: string; body?: string } = {}) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of (await begin(holder, how)).body) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  };

  it("carry one agent's requests one after the other", async () => {
    assert.deepEqual([await send(agent), await send(agent), await send({ ...agent })], ["1.1", "1.2", "1.3"]);
  });

  it("are shared by no two agents, secrets, versions, targets or sets of policies, and by no use under an approval", async () => {
    await send(agent);
    for (const other of [{ sid: "other" }, { secret: "prod/other" }, { secretVersion: "2" }, { policyVersion: "p2" }])
      assert.match(await send({ ...agent, ...other }), /^\d\.1$/);
    assert.equal(await send(agent, { target: "other" }), "6.1");
    assert.equal(await send(undefined), "7.1");
    assert.equal(await send(agent), "1.2", "the first is still its own");
  });

  it("carry one request at a time", async () => {
    assert.deepEqual((await Promise.all([send(agent), send(agent), send(agent)])).sort(), ["1.1", "2.1", "3.1"]);
  });

  it("are new for a request that is not safe to repeat, since the target may be closing the old one", async () => {
    await send(agent);
    assert.equal(await send(agent, { method: "POST" }), "2.1");
  });

  it("end with a request that had a body: what the target left of it would begin the next one", async () => {
    assert.equal(await send(agent, { method: "POST", body: "DELETE /admin HTTP/1.1\r\nhost: x\r\nx-rest: " }), "1.1");
    await until(() => closed === 1);
    assert.equal(await send(agent), "2.1");
  });

  it("that the target closed are not replaced for an agent who may no longer act", async () => {
    let revoked = false;
    says = (connection, request, socket) => {
      revoked = request === 2;
      if (revoked) socket.destroy();
      return answered(`${connection}.${request}`);
    };
    const assertLive = () => {
      if (revoked) throw new Refusal("CREDENTIAL_REVOKED", "This agent was revoked.");
    };
    const holder = { ...agent, assertLive };
    assert.equal(await send(holder), "1.1");
    await assert.rejects(send(holder), (error: Refusal) => error.reason === "CREDENTIAL_REVOKED");
    assert.equal(sockets.length, 1);
  });

  it("are closed when their agent may no longer act, and so are never used again", async () => {
    let revoked = false;
    const holder = { ...agent, live: () => !revoked };
    await send(holder);
    await send(agent, { target: "other" });
    revoked = true;
    sender.dropDead();
    await until(() => closed === 1);
    assert.equal(await send(agent, { target: "other" }), "2.2", "the others stay");
    const late = { ...agent, sid: "late", live: () => !revoked };
    revoked = false;
    await send(late);
    revoked = true;
    assert.equal(await send({ ...late, live: () => true }), "4.1", "looked at again when it is taken");
  });

  it("end with a target that answers twice: the second answer is nobody's", async () => {
    says = (connection, request) => answered(`${connection}.${request}`) + answered("evil");
    assert.deepEqual([await send(agent), await send(agent), await send(agent)], ["1.1", "2.1", "3.1"]);
    await until(() => closed === 3);
  });

  it("end with a target that speaks when it was not asked", async () => {
    says = (connection, request, socket) => {
      if (connection === 1) setTimeout(() => socket.write(answered("evil")), 20);
      return answered(`${connection}.${request}`);
    };
    assert.equal(await send(agent), "1.1");
    await sleep(60);
    assert.equal(await send(agent), "2.1");
  });

  it("end with an answer that has a body where none can be", async () => {
    says = (connection, request) => (connection === 1 ? answered("evil") : answered(`${connection}.${request}`));
    assert.equal(await send(agent, { method: "HEAD" }), "");
    assert.equal(await send(agent), "2.1");
  });

  it("end with an answer that was not read to its end, or was too long", async () => {
    says = () => answered("x".repeat(100));
    (await begin(agent)).discard();
    await until(() => closed === 1);
    for await (const _ of (await begin(agent)).body) break;
    await until(() => closed === 2);
    says = () => answered("x".repeat(101));
    await assert.rejects(send(agent), /longer than the 100 bytes/);
    await until(() => closed === 3);
  });

  it("end with an answer that ends with its connection, or says that it does", async () => {
    says = (_connection, _request, socket) => {
      setTimeout(() => socket.end(), 10);
      return "HTTP/1.1 200 OK\r\n\r\nok";
    };
    assert.equal(await send(agent), "ok");
    says = (connection) => `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n${connection}`;
    assert.deepEqual([await send(agent), await send(agent)], ["2", "3"]);
  });

  it("that the target closed meanwhile cost no request, once", async () => {
    says = (connection, request, socket) => {
      if (request === 2) socket.destroy();
      return answered(`${connection}.${request}`);
    };
    assert.deepEqual([await send(agent), await send(agent)], ["1.1", "2.1"]);
    says = (_connection, _request, socket) => {
      socket.destroy();
      return "";
    };
    const before = sockets.length;
    await assert.rejects(send(agent), /broke|closed|off/);
    assert.equal(sockets.length, before + 1);
  });

  describe("between two uses", () => {
    const open = async () => {
      const client = new Client(targets.one?.baseUrl ?? "", { pipelining: 1 });
      await (await client.request({ method: "GET", path: "/" })).body.text();
      return client;
    };
    const live = () => true;

    it("wait 4 s and no longer, and are given up a minute after they were opened", async () => {
      let now = 100_000;
      const kept = new KeptConnections(() => now);
      const client = await open();
      kept.give("a", { client, openedAt: now }, live);
      now += 3999;
      assert.equal(kept.take("a")?.client, client);
      assert.equal(kept.size, 0, "on loan");
      kept.give("a", { client, openedAt: now }, live);
      now += 4001;
      assert.equal(kept.take("a"), undefined);
      await until(() => client.destroyed);
      const old = await open();
      kept.give("a", { client: old, openedAt: now - 59_000 }, live);
      now += 1001;
      assert.equal(kept.take("a"), undefined);
      assert.equal(kept.size, 0);
    });

    it("are at most eight of a kind and 256 in all", async () => {
      const kept = new KeptConnections();
      const client = await open();
      for (let n = 0; n < 8; n++) kept.give("a", { client, openedAt: performance.now() }, live);
      assert.equal(kept.size, 8);
      const ninth = await open();
      kept.give("a", { client: ninth, openedAt: performance.now() }, live);
      assert.equal(kept.size, 8);
      assert.ok(ninth.destroyed);
      for (let n = 0; n < 248; n++) kept.give(`b${n}`, { client, openedAt: performance.now() }, live);
      assert.equal(kept.size, 256);
      kept.give("c", { client: await open(), openedAt: performance.now() }, live);
      assert.equal(kept.size, 256, "the oldest went");
      kept.close();
      assert.equal(kept.size, 0);
    });
  });
});

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done(); tries++) {
    assert.ok(tries < 300, "in time");
    await sleep(10);
  }
}
