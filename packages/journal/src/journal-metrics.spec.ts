import assert from "node:assert/strict";
import type { Meter, ObservableCallback } from "@opentelemetry/api";
import { clock, draftOf, scratchFolder } from "./journal.fixture.ts";
import { JournalMetrics } from "./journal-metrics.ts";
import type { Shipping } from "./ship.ts";
import { EvidenceWriter } from "./writer.ts";

const folder = scratchFolder();

describe("the gauges of a journal", () => {
  it("say how full it is, what is open, and how far and how long the evidence log is behind", async () => {
    const gauges = new Map<string, ObservableCallback>();
    const meter = {
      createObservableGauge: (name: string) => ({ addCallback: (callback: ObservableCallback) => void gauges.set(name, callback) }),
    } as unknown as Meter;
    const value = (name: string) => {
      let seen = Number.NaN;
      void gauges.get(`sallyport.journal.${name}`)?.({ observe: (observed) => (seen = observed) });
      return seen;
    };
    const options = { dir: folder(), service: "broker", version: "0.1.0", clock, mode: "journal", maxBytes: 1024 ** 2 } as const;
    const writer = await EvidenceWriter.open({ ...options, reserveBytes: 512 * 1024 });
    const shipping = { loggedSequence: 0n } as { -readonly [key in keyof Shipping]: Shipping[key] };
    let now = 1000;
    const metrics = new JournalMetrics(meter, "broker", writer.journal, shipping, () => now);
    const write = async () => {
      await writer.record(draftOf("secret.use"));
      metrics.appended(writer.journal.last, now);
    };

    assert.deepEqual([value("size"), value("limit"), value("unshipped"), value("lag")], [0, 512 * 1024, 0, 0]);
    await write();
    now += 2000;
    await write();
    now += 1000;
    assert.ok(value("size") > 0);
    assert.deepEqual([value("unshipped"), value("lag")], [2, 3], "the age of the oldest");
    shipping.loggedSequence = 2n;
    assert.deepEqual([value("unshipped"), value("lag")], [0, 0]);
    await write();
    now += 500;
    assert.deepEqual([value("unshipped"), value("lag")], [1, 0.5]);
    const intent = await writer.intent(draftOf("secret.use"));
    assert.equal(value("open_intents"), 1);
    await intent.outcome(draftOf("secret.use"));
    assert.equal(value("open_intents"), 0);
    await writer.stop();
  });
});
