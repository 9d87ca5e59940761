import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { openCheckpoint } from "@sallyport/evidence";
import { Kafka, type KafkaMessage, logLevel } from "kafkajs";
import { describeWith, kafka, withOptions } from "../../../../test/support/servers.ts";
import { bytesFor, clock, keyOfLog, openLog, quiet, scratchFolder, until } from "../audit.fixture.ts";
import type { EvidenceLog } from "../log/evidence-log.ts";
import { checkpointTopic, kafkaSink } from "./kafka-sink.ts";
import { Publisher } from "./publisher.ts";

const dial = (destination: { host: string; port: number }) =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect(destination.port, destination.host);
    socket.once("connect", () => resolve(socket)).once("error", reject);
  });

/** A whole topic, as an ordinary consumer reads it from its start. */
async function consume(address: string, topic: string, enough: (messages: KafkaMessage[]) => boolean): Promise<KafkaMessage[]> {
  const client = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
  const consumer = client.consumer({ groupId: `test-${Math.random()}` });
  const messages: KafkaMessage[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void messages.push(message) });
  await until(() => enough(messages), `${topic} to be consumed`, 30_000);
  await consumer.disconnect();
  return messages;
}

const header = (message: KafkaMessage, name: string) => message.headers?.[name]?.toString() ?? "";
const indexOf = (message: KafkaMessage) => Number(header(message, "sallyport-index"));
const distinct = (messages: KafkaMessage[]) => [...new Map(messages.map((message) => [indexOf(message), message])).values()];

describeWith("evidence in Kafka", { broker: withOptions(kafka, { own: true }) }, ({ broker }) => {
  const folder = scratchFolder();
  let run = 0;
  let topic = "";
  beforeEach(() => {
    topic = `evidence-${++run}`;
  });
  const publish = (log: EvidenceLog, more: object = {}) =>
    new Publisher({
      log,
      topic,
      openSink: kafkaSink({ brokers: [broker().address], topic, origin: log.origin, dial, tls: false }),
      cursorPath: join(folder(), "published.json"),
      backlogMaxBytes: 1024 ** 3,
      clock,
      logger: quiet,
      sendMs: 4000,
      ...more,
    });

  it("is the evidence log byte for byte, with its headers, and the checkpoints beside it", async function () {
    this.timeout(60_000);
    const log = await openLog(folder());
    const publisher = publish(log);
    const records = bytesFor(150);
    for (let at = 0; at < 150; at += 50) await log.append(records.slice(at, at + 50));
    await until(() => publisher.size === 150, "published", 30_000);
    const messages = await consume(broker().address, topic, (all) => distinct(all).length === 150);
    assert.deepEqual(
      distinct(messages).map(({ value }) => value),
      records.map((record) => Buffer.from(record)),
    );
    const [first] = messages as [KafkaMessage];
    assert.equal(header(first, "sallyport-log-id"), log.origin);
    assert.equal(header(first, "sallyport-uid"), JSON.parse(`${first.value}`).metadata.uid);
    assert.match(header(first, "traceparent"), /^00-0af7651916cd43dd8448eb211c80319c-/);
    assert.equal(first.key?.toString(), "deploy".padEnd(22, "x"));
    const heads = await consume(broker().address, checkpointTopic(topic), (all) => all.some(({ value }) => `${value}` === log.checkpoint));
    assert.equal(openCheckpoint(`${heads.at(-1)?.value}`, keyOfLog(folder()))?.size, 150);
    await publisher.stop();
    await log.close();
  });

  it("AUDT-03: has every acknowledged record, in order and without gaps, after the broker was killed in mid-stream and came back", async function () {
    this.timeout(120_000);
    const log = await openLog(folder());
    const publisher = publish(log);
    const records = bytesFor(400);
    for (let at = 0; at < 400; at += 2) {
      await log.append(records.slice(at, at + 2));
      if (at === 100) await until(() => publisher.size > 50, "begun", 30_000);
      if (at === 120) await broker().kill();
    }
    const acknowledged = publisher.size;
    assert.ok(acknowledged < 400);
    await until(() => publisher.failing !== undefined, "noticed", 30_000);
    await broker().restart();
    await until(() => publisher.size === 400, "healed", 60_000);
    const messages = await consume(broker().address, topic, (all) => distinct(all).length === 400);
    assert.deepEqual(
      distinct(messages).map(({ value }) => value),
      records.map((record) => Buffer.from(record)),
    );
    assert.equal(publisher.failing, undefined);
    await publisher.stop();
    await log.close();
  });

  it("AUDT-01: waits a bounded time for a broker that hangs, keeps what is logged, and goes on by itself", async function () {
    this.timeout(120_000);
    const log = await openLog(folder());
    const publisher = publish(log, { backlogMaxBytes: 60_000 });
    await log.append(bytesFor(10));
    await until(() => publisher.size === 10, "published", 30_000);
    broker().pause();
    try {
      await log.append(bytesFor(80, 11));
      await until(() => publisher.failing !== undefined, "noticed", 20_000);
      const room = publisher.room(new AbortController().signal).then(() => "room");
      assert.equal(await Promise.race([room, new Promise((resolve) => setTimeout(resolve, 500, "none"))]), "none");
      broker().resume();
      assert.equal(await room, "room");
    } finally {
      broker().resume();
    }
    await until(() => publisher.size === 90, "published", 60_000);
    const messages = await consume(broker().address, topic, (all) => distinct(all).length === 90);
    assert.equal(distinct(messages).length, 90);
    await publisher.stop();
    await log.close();
  });

  it("reaches a broker only through the dialler", async function () {
    this.timeout(30_000);
    const log = await openLog(folder());
    const refusing = () => Promise.reject(new Error("not allowed"));
    const publisher = publish(log, {
      openSink: kafkaSink({ brokers: [broker().address], topic, origin: log.origin, dial: refusing, tls: false }),
    });
    await log.append(bytesFor(1));
    await until(() => publisher.failing !== undefined, "refused", 20_000);
    assert.equal(publisher.size, 0);
    await publisher.stop();
    await log.close();
  });
});
