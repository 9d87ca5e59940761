import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import { systemClock } from "@sallyport/service";
import { refusals } from "../refusals.ts";
import type { ReadSecret, SecretStore } from "../secret-store.ts";
import { StoreConnection } from "./store-connection.ts";

/** A store in memory that counts its calls and does as it is told. */
class Memory implements SecretStore {
  calls = 0;
  version = 1;
  error: (() => Error) | undefined;
  delayMs = 0;

  async read(_path: string, version = String(this.version)): Promise<ReadSecret> {
    this.calls++;
    const text = `canary-4711-${version}`;
    if (this.delayMs > 0) await sleep(this.delayMs);
    if (this.error !== undefined) throw this.error();
    return { version, createdAt: undefined, fields: new Map([["token", Buffer.from(text)], ["other", Buffer.from("not this secret's")]]) }; // biome-ignore format: one line
  }
  async describe() {
    this.calls++;
    if (this.error !== undefined) throw this.error();
    return { version: String(this.version), createdAt: undefined };
  }
  async write() {
    if (this.error !== undefined) throw this.error();
    return String(++this.version);
  }
  ownCredentials = () => [];
  health = async () => ({ ok: true }) as const;
  close = async () => undefined;
}

describe("a store's connection", () => {
  let store: Memory;
  const connections: StoreConnection[] = [];
  const connect = (cacheSeconds = 0) => {
    const connection = new StoreConnection("vault", store, { cacheSeconds, clock: systemClock });
    connections.push(connection);
    return connection;
  };
  const read = (connection: StoreConnection, version?: string) => connection.read("prod/api", "api", ["token"], version);
  const textOf = async (connection: StoreConnection, version?: string) => (await read(connection, version)).fields.get("token")?.toString();
  beforeEach(() => {
    store = new Memory();
  });
  afterEach(() => Promise.all(connections.splice(0).map((connection) => connection.close())));

  describe("to a store that does not serve", () => {
    const outage = () => refusals.failed("vault", "did not answer");

    it("stops asking after a few failures, says so, and goes on by itself when it serves again", async () => {
      const connection = connect();
      store.error = outage;
      for (let times = 0; times < 5; times++) await assert.rejects(read(connection), /did not answer/);
      for (let times = 0; times < 20; times++)
        await assert.rejects(
          read(connection),
          (error: Refusal) => error.reason === "STORE_UNAVAILABLE" && /is not asked for a few/.test(error.message),
        );
      assert.equal(store.calls, 5);
      assert.deepEqual([connection.serving, connection.trouble], [0, outage().message]);
      store.error = undefined;
      await sleep(1_100);
      assert.equal(await textOf(connection), "canary-4711-1");
      assert.deepEqual([connection.serving, connection.trouble], [1, undefined]);
    });

    it("goes on asking where the answer is that there is no such secret, or that the caller went", async () => {
      const connection = connect();
      for (const error of [
        () => refusals.notGiven("vault"),
        () => new Refusal("CANCELLED", "The caller has gone."),
        () => refusals.otherVersion(),
      ]) {
        store.error = error;
        for (let times = 0; times < 10; times++) await assert.rejects(read(connection));
      }
      store.error = undefined;
      assert.equal(await textOf(connection), "canary-4711-1");
      assert.equal(store.calls, 31);
      assert.equal(connection.trouble, undefined);
    });
  });

  it("gives a secret its own fields, and zeroes those of others that lie at the same place", async () => {
    const given = await store.read("api");
    store.read = async () => given;
    assert.deepEqual([...(await read(connect())).fields.keys()], ["token"]);
    assert.ok(given.fields.get("other")?.every((byte) => byte === 0));
  });

  describe("with a cache", () => {
    it("is off unless it is asked for", async () => {
      const connection = connect();
      await read(connection);
      await read(connection);
      assert.equal(store.calls, 2);
    });

    it("asks once within its time, hands out copies, and zeroes what it held", async () => {
      const copies: Buffer[] = [];
      const from = Buffer.from;
      Buffer.from = ((...args: Parameters<typeof from>) => {
        const made = from(...args);
        if (made.toString().startsWith("canary-4711")) copies.push(made);
        return made;
      }) as typeof from;
      try {
        const connection = connect(0.2);
        const first = await read(connection);
        first.fields.get("token")?.fill(0);
        const second = await read(connection);
        assert.equal(second.fields.get("token")?.toString(), "canary-4711-1");
        second.fields.get("token")?.fill(0);
        assert.equal(await textOf(connection, "1"), "canary-4711-1");
        assert.equal(store.calls, 1);
        await sleep(300);
        assert.equal(copies.filter((copy) => copy.toString().startsWith("canary")).length, 1, "only the one that the caller did not zero");
        await read(connection);
        assert.equal(store.calls, 2);
      } finally {
        Buffer.from = from;
      }
    });

    it("keeps versions, secrets and paths apart", async () => {
      const connection = connect(30);
      store.version = 2;
      assert.equal(await textOf(connection, "1"), "canary-4711-1");
      assert.equal(await textOf(connection), "canary-4711-2");
      assert.equal(await textOf(connection, "1"), "canary-4711-1");
      assert.equal(store.calls, 2);
      assert.deepEqual([...(await connection.read("prod/other", "api", ["other"])).fields.keys()], ["other"]);
      await connection.read("prod/api", "elsewhere", ["token"]);
      assert.equal(store.calls, 4);
    });

    it("takes no value for the newest after a write of ours, also where a read overlaps it", async () => {
      const connection = connect(30);
      await read(connection);
      await connection.write("api", new Map());
      assert.equal(await textOf(connection), "canary-4711-2");
      store.delayMs = 60;
      await connection.write("api", new Map());
      const slow = read(connection);
      store.delayMs = 0;
      await connection.write("api", new Map());
      await slow;
      assert.equal(await textOf(connection), "canary-4711-4");
    });

    it("takes no value for the newest once the store has named another", async () => {
      const connection = connect(30);
      await read(connection);
      store.version = 2;
      assert.equal(await textOf(connection), "canary-4711-1");
      assert.equal((await connection.describe("api")).version, "2");
      assert.equal(await textOf(connection), "canary-4711-2");
    });

    it("serves what it holds while the store does not, and no longer than its time", async () => {
      const connection = connect(0.2);
      await read(connection);
      store.error = () => refusals.failed("vault", "did not answer");
      assert.equal(await textOf(connection), "canary-4711-1");
      await sleep(250);
      await assert.rejects(read(connection), /did not answer/);
    });
  });
});
