import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { startEmbedded } from "../demo/installation.ts";
import { Missing, startScaledOut } from "../demo/scaled-out.ts";
import type { ReceivedSpan } from "../support/otlp-receiver.ts";
import { kafka, openbao, redis } from "../support/servers.ts";
import { oneUse, type TracedUse } from "./one-use.ts";

const rpc = {
  use: "sallyport.broker.v1.BrokerService/Use",
  check: "sallyport.policy.v1.DecisionService/Check",
};
const [server, client, consumer] = [2, 3, 5];

describe("one trace of one use", () => {
  let traced: TracedUse;
  before(async function () {
    this.timeout(60_000);
    traced = await oneUse(startEmbedded);
  });
  after(() => traced?.stop());

  itIsOneTrace(
    () => traced,
    () => ({ agent: "agent", broker: "sallyport", pdp: "sallyport", audit: "sallyport" }),
  );
});

const lacking = [redis, kafka, openbao].flatMap((finder) => finder.missing() ?? []);
const everyServer = `one trace of one use over four processes, OpenBao and Kafka${lacking.length > 0 ? ` [skipped: ${lacking.join("; ")}]` : ""}`;
(lacking.length > 0 && process.env.SALLYPORT_REQUIRE_SERVERS !== "1" ? describe.skip : describe)(everyServer, () => {
  let traced: TracedUse;
  before(async function () {
    this.timeout(120_000);
    assert.deepEqual(lacking, [], new Missing(lacking.join("; ")).message);
    traced = await oneUse(startScaledOut);
  });
  after(async function () {
    this.timeout(60_000);
    await traced?.stop();
  });

  itIsOneTrace(
    () => traced,
    () => ({ agent: "agent", broker: "sallyport-broker", pdp: "sallyport-pdp", audit: "sallyport-audit" }),
  );

  it("shows the vault's part below the store's", () => {
    const vault = only(traced, ({ name, service }) => name === "store read" && service === "sallyport-broker");
    assert.deepEqual([vault.kind, parentOf(traced, vault)?.name], [client, "secret read"]);
  });

  it("reaches Kafka: both records of the use carry it in their header", async function () {
    this.timeout(60_000);
    const served = only(traced, (span) => span.name === rpc.use && span.kind === server);
    const expected = `00-${traced.traceId}-${served.spanId}-01`;
    const { kafka: address, topic } = traced.installation.scaledOut ?? assert.fail("there is no Kafka");
    assert.equal(await headersSeen(address, topic, expected, 2), 2);
  });
});

function itIsOneTrace(use: () => TracedUse, services: () => Record<"agent" | "broker" | "pdp" | "audit", string>): void {
  it("has the agent's own span as its only root, and a parent for every other", () => {
    const { spans, otlp } = use();
    const roots = spans.filter(({ parentSpanId }) => parentSpanId === "");
    assert.deepEqual(
      roots.map(({ name, service }) => [name, service]),
      [["look up order 42", "agent"]],
    );
    for (const span of spans) assert.equal(otlp.ancestry(span).at(-1), roots[0], `${span.service}: ${span.name} hangs in the air`);
  });

  it("goes from the agent to the broker, and from there to policy, the store, and the target", () => {
    const { agent, broker, pdp } = services();
    const called = only(use(), (span) => span.name === rpc.use && span.kind === client && span.service === agent);
    const served = only(use(), (span) => span.name === rpc.use && span.kind === server && span.service === broker);
    const decided = only(use(), (span) => span.name === rpc.check && span.kind === server && span.service === pdp);
    const read = only(use(), (span) => span.name === "secret read");
    const sent = only(use(), (span) => span.name === "GET" && span.kind === client);
    assert.equal(parentOf(use(), served), called);
    assert.ok(use().otlp.ancestry(decided).includes(served));
    assert.equal(parentOf(use(), read), served);
    assert.equal(parentOf(use(), sent), served);
    assert.equal(use().atTarget, `00-${sent.traceId}-${sent.spanId}-01`);
  });

  it("ends in the audit log: the intent's and the outcome's records name it, and their spans hang below the use", () => {
    const { records, traceId, eventUid } = use();
    const served = only(use(), (span) => span.name === rpc.use && span.kind === server);
    const ours = records.filter(({ metadata, unmapped }) => [metadata.uid, unmapped.sallyport.intent_uid].includes(eventUid));
    assert.deepEqual(
      ours.map(({ metadata, unmapped: { sallyport } }) => [metadata.correlation_uid, sallyport.traceparent]),
      Array(2).fill([traceId, `00-${traceId}-${served.spanId}-01`]),
    );
    const appended = use().spans.filter(({ name }) => name === "evidence append");
    assert.deepEqual(
      appended.map((span) => [span.kind, span.service, parentOf(use(), span)]),
      Array(2).fill([consumer, services().audit, served]),
    );
  });

  it("holds no secret, no token, and no secret's name", () => {
    const { otlp, secrets } = use();
    for (const secret of secrets) assert.ok(!otlp.received.includes(secret));
    assert.doesNotMatch(otlp.received, /eyJ[\w-]{8,}\.|prod\/orders/);
  });
}

/** Reads the topic from its beginning until so many records with that `traceparent` came by, or 20 s are over. */
async function headersSeen(broker: string, topic: string, traceparent: string, wanted: number): Promise<number> {
  const consumer = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).consumer({ groupId: `trace-${traceparent}` });
  const all = Promise.withResolvers<void>();
  const seen = new Set<string>();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      if (String(message.headers?.traceparent) === traceparent) seen.add(message.offset);
      if (seen.size >= wanted) all.resolve();
    },
  });
  const late = setTimeout(all.resolve, 20_000);
  await all.promise;
  clearTimeout(late);
  await consumer.disconnect();
  return seen.size;
}

const parentOf = ({ spans }: TracedUse, { parentSpanId }: ReceivedSpan) => spans.find(({ spanId }) => spanId === parentSpanId);

function only({ spans }: TracedUse, matches: (span: ReceivedSpan) => boolean): ReceivedSpan {
  const found = spans.filter(matches);
  assert.equal(found.length, 1, `of ${JSON.stringify(spans.map(({ name, kind, service }) => [name, kind, service]))}`);
  return found[0] as ReceivedSpan;
}
