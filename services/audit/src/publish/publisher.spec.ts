import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { uidOf } from "@sallyport/evidence";
import { bytesFor, clock, openLog, quiet, scratchFolder, until } from "../audit.fixture.ts";
import type { EvidenceLog } from "../log/evidence-log.ts";
import { Publisher, type PublisherOptions } from "./publisher.ts";
import type { OutgoingRecord, Sink } from "./sink.ts";

const folder = scratchFolder();

/** A topic that keeps what it acknowledged, and fails as it is told. */
class FakeTopic {
  readonly kept: OutgoingRecord[] = [];
  readonly checkpoints: string[] = [];
  fault: "none" | "refuse" | "take-then-fail" | "hang" = "none";
  inFlight = 0;
  mostInFlight = 0;
  opened = 0;

  open = async (): Promise<Sink> => {
    this.opened += 1;
    let closed: (error: Error) => void = () => {};
    const gone = new Promise<never>((_resolve, reject) => {
      closed = reject;
    });
    gone.catch(() => {});
    const send = async (records: readonly OutgoingRecord[]) => {
      this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
      try {
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (this.fault === "refuse") throw new Error("not leader");
        if (this.fault === "hang") await gone;
        this.kept.push(...records);
        if (this.fault === "take-then-fail") throw new Error("the acknowledgement is lost");
      } finally {
        this.inFlight -= 1;
      }
    };
    return { send, sendCheckpoint: async (note) => void this.checkpoints.push(note), close: async () => closed(new Error("closed")) };
  };

  /** As a consumer sees it: sorted by index, without resends. */
  get consumed(): OutgoingRecord[] {
    return [...new Map(this.kept.map((record) => [record.index, record])).values()].sort((a, b) => a.index - b.index);
  }
}

const publisherOf = (log: EvidenceLog, topic: FakeTopic, more: Partial<PublisherOptions> = {}) =>
  new Publisher({
    log,
    openSink: topic.open,
    cursorPath: join(folder(), "published.json"),
    topic: "t",
    backlogMaxBytes: 1024 * 1024,
    clock,
    logger: quiet,
    sendMs: 150,
    ...more,
  });

describe("publishing the log", () => {
  it("sends every record once and in order, with its index, uid, session and trace, and then the checkpoint", async () => {
    const log = await openLog(folder());
    const topic = new FakeTopic();
    const publisher = publisherOf(log, topic);
    const records = bytesFor(200);
    for (let at = 0; at < 200; at += 20) await log.append(records.slice(at, at + 20));
    await until(() => publisher.size === 200 && topic.checkpoints.at(-1) === log.checkpoint, "published");
    assert.deepEqual(
      topic.kept.map(({ bytes }) => bytes),
      records.map((record) => Buffer.from(record)),
    );
    const first = topic.kept[0] as OutgoingRecord;
    assert.deepEqual([first.index, first.uid, first.key], [0, uidOf(first.bytes), "deploy".padEnd(22, "x")]);
    assert.match(first.traceparent, /^00-0af7651916cd43dd8448eb211c80319c-/);
    assert.equal(topic.mostInFlight, 1);
    await publisher.stop();
    await log.close();
  });

  it("goes on where it was after a restart, and from the start where its cursor is gone", async () => {
    const log = await openLog(folder());
    const topic = new FakeTopic();
    await log.append(bytesFor(30));
    const first = publisherOf(log, topic);
    await until(() => first.size === 30, "published");
    await first.stop();
    await log.append(bytesFor(10, 31));
    const second = publisherOf(log, topic);
    await until(() => second.size === 40, "published");
    await second.stop();
    assert.equal(topic.kept.length, 40);
    writeFileSync(join(folder(), "published.json"), "{");
    const third = publisherOf(log, topic);
    await until(() => third.size === 40, "published again");
    await third.stop();
    assert.equal(topic.kept.length, 80);
    assert.equal(topic.consumed.length, 40);
    await log.close();
  });

  it("AUDT-03: loses and reorders nothing whatever a send did before it failed, and heals with a fresh sink", async () => {
    const log = await openLog(folder());
    const topic = new FakeTopic();
    const publisher = publisherOf(log, topic);
    const records = bytesFor(300);
    const acknowledged: number[] = [];
    publisher.onChange(() => acknowledged.push(publisher.size));
    for (let at = 0; at < 300; at += 10) {
      topic.fault = (["none", "refuse", "take-then-fail", "none", "hang"] as const)[(at / 10) % 5] ?? "none";
      await log.append(records.slice(at, at + 10));
      await new Promise((resolve) => setTimeout(resolve, 10));
      for (const size of acknowledged.splice(0)) assert.ok(topic.consumed.length >= size, "acknowledged, and not in the topic");
    }
    topic.fault = "none";
    await until(() => publisher.size === 300, "published");
    assert.deepEqual(
      topic.consumed.map(({ bytes }) => bytes),
      records.map((record) => Buffer.from(record)),
    );
    assert.ok(topic.opened > 1);
    assert.equal(topic.mostInFlight, 1);
    assert.equal(publisher.failing, undefined);
    await publisher.stop();
    await log.close();
  });

  it("AUDT-01: bounds a hung Kafka in time, and the backlog in bytes: then nothing more is taken in until it moves again", async () => {
    const log = await openLog(folder());
    const topic = new FakeTopic();
    topic.fault = "hang";
    const publisher = publisherOf(log, topic, { backlogMaxBytes: 50_000 });
    await log.append(bytesFor(10));
    await publisher.room(new AbortController().signal);
    await log.append(bytesFor(60, 11));
    const room = publisher.room(new AbortController().signal).then(() => "room");
    assert.equal(await Promise.race([room, new Promise((resolve) => setTimeout(resolve, 400, "none"))]), "none");
    await until(() => publisher.failing !== undefined, "noticed");
    assert.ok(publisher.backlogBytes >= 50_000);
    topic.fault = "none";
    assert.equal(await room, "room");
    await until(() => publisher.size === 70, "published");
    await publisher.stop();
    await log.close();
  });

  it("stops in bounded time while Kafka hangs", async () => {
    const log = await openLog(folder());
    const topic = new FakeTopic();
    topic.fault = "hang";
    const publisher = publisherOf(log, topic, { sendMs: 60_000 });
    await log.append(bytesFor(10));
    const began = performance.now();
    await publisher.stop(200);
    assert.ok(performance.now() - began < 2000);
    await log.close();
  });
});
