import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Agent } from "@sallyport/sdk";
import { mustRun } from "../demo/process.ts";
import { until } from "../support/process/port.ts";
import { describeWith, kafka, withOptions } from "../support/servers.ts";
import { settledEvidence, usesIn } from "./evidence-log.ts";
import { embeddedSite, type Site } from "./site.ts";
import { eventually, read, refusalOf, told } from "./told.ts";
import { topicProblem } from "./topic-problem.ts";

/** The least that a configuration may ask for. */
const mebibyte = 1024 * 1024;
/** What strict mode waits for an acknowledgement, and a little. */
const strictMs = 5_500;

describeWith("Kafka is gone or hangs", { kafka: withOptions(kafka, { own: true }) }, (servers) => {
  let spooling: Site;
  let strict: Site;
  let spooled: Agent;
  let exact: Agent;
  const topic = (name: string) => `sallyport.${name}.${process.pid}`;

  before(async function () {
    this.timeout(120_000);
    const siteThat = (mode: "journal" | "strict", name: string) =>
      embeddedSite({
        configure: (config) => {
          const { address } = servers.kafka();
          config.evidence = {
            mode,
            journalMaxBytes: mebibyte,
            kafka: { brokers: [address], topic: topic(name), backlogMaxBytes: mebibyte },
          };
        },
      });
    [spooling, strict] = await Promise.all([siteThat("journal", "spooling"), siteThat("strict", "strict")]);
    [spooled, exact] = await Promise.all([spooling.agent(), strict.agent()]);
    await Promise.all([read(spooled, "/v1/orders/before"), read(exact, "/v1/orders/before")]);
  });
  after(async () => {
    await Promise.all([spooling?.stop(), strict?.stop()]);
  });

  /** Nothing reaches the target; the first waits for Kafka, the next are told at once. */
  const strictRefuses = async (what: string) => {
    const served = strict.api.served.length;
    const first = performance.now();
    const refusal = await refusalOf(() => read(exact, `/v1/orders/${what}`));
    assert.equal(refusal.reason, "AUDIT_UNAVAILABLE", refusal.message);
    assert.match(refusal.message, /Kafka/);
    assert.ok(performance.now() - first < strictMs + 1_500, `${performance.now() - first} ms`);
    for (let use = 0; use < 10; use++) {
      const began = performance.now();
      assert.equal(await told(() => read(exact, `/v1/orders/${what}`)), "AUDIT_UNAVAILABLE");
      assert.ok(performance.now() - began < 1_000, `${performance.now() - began} ms, not at once`);
    }
    assert.equal(strict.api.served.length, served);
    const { healthz, readyz } = await strict.services.broker.pages();
    assert.deepEqual([healthz, readyz.status], [200, 503]);
    assert.match(readyz.text, /Kafka/);
  };

  it("absent: strict refuses; otherwise effects go on while there is room, are then refused, and go on by themselves", async function () {
    this.timeout(60_000);
    await servers.kafka().kill();
    const strictly = strictRefuses("kafka-absent");

    // Large records fill the room sooner.
    const long = "x".repeat(3_000);
    let uses = 0;
    let reason = "";
    const worker = async () => {
      while (reason === "") {
        const ended = await told(() => read(spooled, `/v1/orders/spooled-${uses}-${long}`));
        if (ended === "done") uses++;
        else reason = ended;
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    assert.equal(reason, "AUDIT_UNAVAILABLE");
    assert.ok(uses > 20, `room for ${uses} uses only`);
    // What the audit service takes until its own backlog is full, and what a large record left, makes room for small ones still.
    for (let refused = 0; refused < 20; await sleep(50))
      refused = (await told(() => read(spooled, "/v1/orders/the-last-room"))) === "done" ? 0 : refused + 1;
    assert.equal(await spooling.services.broker.serves(), false);
    const served = spooling.api.served.length;
    for (let use = 0; use < 10; use++) {
      const began = performance.now();
      const refusal = await refusalOf(() => read(spooled, "/v1/orders/no-room"));
      assert.equal(refusal.reason, "AUDIT_UNAVAILABLE", refusal.message);
      assert.match(refusal.message, /Kafka/);
      assert.ok(performance.now() - began < 1_000);
    }
    assert.equal(spooling.api.served.length, served);
    assert.equal((await spooling.services.broker.pages()).healthz, 200);
    await strictly;

    await servers.kafka().restart();
    await Promise.all([
      eventually("done", () => read(spooled, "/v1/orders/room-again")),
      eventually("done", () => read(exact, "/v1/orders/acknowledged-again")),
    ]);
    await until("readiness", async () => (await spooling.services.broker.serves()) && (await strict.services.broker.serves()), 5_000);
  });

  it("hung: strict refuses in bounded time; otherwise effects go on", async function () {
    this.timeout(60_000);
    servers.kafka().pause();
    try {
      const strictly = strictRefuses("kafka-hung");
      for (let use = 0; use < 20; use++) {
        const began = performance.now();
        await read(spooled, `/v1/orders/hung-${use}`);
        assert.ok(performance.now() - began < 2_000);
      }
      await strictly;
    } finally {
      servers.kafka().resume();
    }
    await eventually("done", () => read(exact, "/v1/orders/thawed"));
  });

  it("afterwards nothing is missing: the topic is the log, and each effect has its intent and one outcome", async function () {
    this.timeout(60_000);
    for (const site of [spooling, strict]) {
      const uses = usesIn(await settledEvidence(site.log));
      const intents = new Set(uses.map(({ intent }) => intent.unmapped.sallyport.statement?.masked));
      for (const { path } of site.api.served) assert.ok(intents.has(`GET ${path}`), path);
      for (const { intent, outcomes } of uses) assert.equal(outcomes.length, 1, intent.metadata.uid);
      await mustRun(["audit", "verify", "--log", site.log]);
    }
    for (const [name, site] of [
      ["spooling", spooling],
      ["strict", strict],
    ] as const) {
      assert.equal(await topicProblem(servers.kafka().address, topic(name), site.log), undefined);
    }
  });
});
