import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import { Flood } from "./flood.ts";
import { clock, draftOf, scratchFolder } from "./journal.fixture.ts";
import { EvidenceWriter, type EvidenceWriterOptions } from "./writer.ts";

const folder = scratchFolder();
const open = (more: Partial<EvidenceWriterOptions> = {}) =>
  EvidenceWriter.open({ dir: folder(), service: "broker", version: "0.1.0", clock, mode: "journal", reserveBytes: 512 * 1024, ...more });

interface Event {
  count?: number;
  status: string;
  status_code?: string;
  metadata: { uid: string; event_code: string };
  unmapped: { sallyport: { phase: string; intent_uid?: string } };
}

async function eventsOf(writer: EvidenceWriter): Promise<Event[]> {
  const events: Event[] = [];
  for (let after = 0n; ; ) {
    const entries = await writer.journal.read(after);
    if (entries.length === 0) return events;
    events.push(...entries.map(({ record }) => JSON.parse(Buffer.from(record).toString("utf8")) as Event));
    after = entries.at(-1)?.sequence ?? after;
  }
}

describe("writing evidence", () => {
  it("announces an effect before it and records its outcome after, tied by the intent's uid", async () => {
    const writer = await open();
    const intent = await writer.intent(draftOf("secret.use"));
    assert.equal(writer.journal.openIntents().length, 1);
    const uid = await intent.outcome(draftOf("secret.use"));
    const [first, second] = (await eventsOf(writer)) as [Event, Event];
    assert.deepEqual([first.metadata.uid, first.status, first.unmapped.sallyport.phase], [intent.uid, "Pending", "intent"]);
    assert.deepEqual([second.metadata.uid, second.status, second.unmapped.sallyport.intent_uid], [uid, "Success", intent.uid]);
    assert.throws(() => intent.outcome(draftOf("secret.use")), /outcome already/);
    await writer.stop();
  });

  it("gives each effect that a stop interrupted the outcome UNKNOWN, once", async () => {
    const first = await open();
    await first.intent(draftOf("secret.use"));
    await first.intent(draftOf("secret.write"));
    await first.stop();
    const second = await open();
    assert.equal(await second.settleInterrupted(), 2);
    const outcomes = (await eventsOf(second)).filter(({ unmapped }) => unmapped.sallyport.phase === "outcome");
    assert.deepEqual(
      outcomes.map(({ metadata, status, status_code }) => [metadata.event_code, status, status_code]),
      [
        ["secret.use", "Unknown", "OUTCOME_UNKNOWN"],
        ["secret.write", "Unknown", "OUTCOME_UNKNOWN"],
      ],
    );
    await second.stop();
    const third = await open();
    assert.equal(await third.settleInterrupted(), 0);
    await third.stop();
  });

  it("in strict mode without an audit service refuses before anything is done", async () => {
    const writer = await open({ mode: "strict" });
    await assert.rejects(writer.intent(draftOf("secret.use")), (error) => error instanceof Refusal && error.reason === "AUDIT_UNAVAILABLE");
    assert.equal(writer.journal.openIntents().length, 0);
    await writer.stop();
  });

  it("sums up a flood of refusals, says how many there were, and still records every effect", async () => {
    const writer = await open();
    const draft = draftOf("secret.use");
    const refused = {
      ...draft,
      facts: { ...draft.facts, status: "failure", reason: "DENIED_BY_POLICY", peer: { address: "10.0.0.1:1" } },
    } as const;
    for (let at = 0; at < 5000; at++) {
      const peer = { address: `10.0.0.1:${at}` };
      await writer.refusal({ ...refused, facts: { ...refused.facts, peer } });
    }
    await writer.record(draftOf("review.approve"));
    const bytes = writer.journal.bytes;
    await writer.stop();
    assert.ok(bytes < 100_000, `${bytes}`);
    const again = await open();
    const events = await eventsOf(again);
    const refusals = events.filter(({ status_code }) => status_code === "DENIED_BY_POLICY");
    assert.equal(
      refusals.reduce((sum, { count }) => sum + (count ?? 1), 0),
      5000,
    );
    assert.ok(refusals.length < 40);
    assert.ok(events.some(({ metadata }) => metadata.event_code === "review.approve"));
    await again.stop();
  });

  it("never throws for a refusal that finds no room, and records it once there is", async () => {
    const writer = await open({ maxBytes: 1024 * 1024, reserveBytes: 256 * 1024 });
    await assert.rejects(async () => {
      for (;;) await writer.record(draftOf("filler", 20_000));
    });
    assert.equal(await writer.refusal(draftOf("secret.use")), undefined);
    writer.journal.release(writer.journal.last);
    await writer.stop();
    const again = await open();
    assert.ok((await eventsOfTail(again)).some(({ metadata, count }) => metadata.event_code === "secret.use" && count === 1));
    await again.stop();
  });
});

async function eventsOfTail(writer: EvidenceWriter): Promise<Event[]> {
  const entries = [];
  for (let after = writer.journal.first - 1n; after < writer.journal.last; ) {
    const some = await writer.journal.read(after);
    entries.push(...some);
    after = some.at(-1)?.sequence ?? writer.journal.last;
  }
  return entries.map(({ record }) => JSON.parse(Buffer.from(record).toString("utf8")) as Event);
}

describe("a flood's bound", () => {
  it("lets an occasional refusal through, from many callers too, and bounds all of them together", () => {
    const flood = new Flood();
    const from = (caller: number) => ({
      ...draftOf("e"),
      facts: { event: "e", reason: "PROOF_INVALID", peer: { address: `10.0.${caller >> 8}.${caller & 255}:1` } },
    });
    assert.ok(flood.admits(from(1), 0));
    assert.ok(Array.from({ length: 100 }, (_, at) => flood.admits(from(2), 1000 * at)).every(Boolean));
    const many = Array.from({ length: 20_000 }, (_, at) => flood.admits(from(at), 200_000)).filter(Boolean).length;
    assert.ok(many <= 500, `${many}`);
    for (let at = 0; at < 20_000; at++) flood.count(from(at), 200_000);
    const taken = flood.take();
    assert.ok(taken.length <= 1025);
    assert.equal(
      taken.reduce((sum, { count }) => sum + count, 0),
      20_000,
    );
    assert.deepEqual(flood.take(), []);
  });
});
