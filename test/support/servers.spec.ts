import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { dial } from "./process/port.ts";
import { describeWith, kafka, openbao, redis, withOptions } from "./servers.ts";

describeWith("a Redis for tests", { server: withOptions(redis, { own: true }) }, ({ server }) => {
  it("leaves nothing behind when the tests are killed", async () => {
    const program = `
      import { redis } from ${JSON.stringify(new URL("./servers.ts", import.meta.url).href)};
      const server = await redis({ own: true });
      console.log(JSON.stringify([new URL(server.address).port, server.folder]));
      process.kill(process.pid, "SIGKILL");
    `;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", timeout: 20_000 });
    const [port, folder] = JSON.parse(stdout) as [string, string];
    for (let tries = 0; tries < 100 && existsSync(folder); tries++) await delay(30);
    assert.equal(existsSync(folder), false);
    assert.equal(await dial(Number(port)), undefined);
    assert.notEqual(new URL(server().address).port, port);
  });
});

describeWith("a Kafka for tests", { broker: kafka }, ({ broker }) => {
  it("takes a record and gives it back", async function () {
    this.timeout(60_000);
    const client = new Kafka({ brokers: [broker().address], logLevel: logLevel.NOTHING });
    const producer = client.producer({ idempotent: true });
    await producer.connect();
    await producer.send({ topic: "support", messages: [{ value: "hello" }], acks: -1 });
    await producer.disconnect();
    const consumer = client.consumer({ groupId: "support" });
    await consumer.connect();
    await consumer.subscribe({ topic: "support", fromBeginning: true });
    const { promise, resolve } = Promise.withResolvers<string>();
    await consumer.run({ eachMessage: async ({ message }) => resolve(`${message.value}`) });
    assert.equal(await promise, "hello");
    await consumer.disconnect();
  });
});

describeWith("an OpenBao for tests", { memory: openbao, files: withOptions(openbao, { durable: true }) }, ({ memory, files }) => {
  it("keeps versions of a secret", async () => {
    for (const token of ["first-value", "second-value"]) await memory().api("POST", "secret/data/orders/api", { data: { token } });
    const read = (await memory().api("GET", "secret/data/orders/api")) as {
      data: { data: { token: string }; metadata: { version: number } };
    };
    assert.deepEqual([read.data.data.token, read.data.metadata.version], ["second-value", 2]);
  });

  it("still has it after a restart where it keeps files, and has it in its audit file without the value", async function () {
    this.timeout(60_000);
    await files().api("POST", "secret/data/orders/api", { data: { token: "canary-4711" } });
    await files().restart();
    const read = (await files().api("GET", "secret/data/orders/api")) as { data: { data: { token: string } } };
    assert.equal(read.data.data.token, "canary-4711");
    const audit = readFileSync(files().auditFile, "utf8");
    assert.ok(audit.includes("secret/data/orders/api") && !audit.includes("canary-4711"));
  });
});
