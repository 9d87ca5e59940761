import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DecisionService, EvidenceService, JournalService } from "@sallyport/contracts";
import { rawPublicKey } from "@sallyport/evidence";
import { EvidenceWriter } from "@sallyport/journal";
import { checkpointPrivateKey, Gate, type Health, type Host, type Running, TrustFeed } from "@sallyport/service";
import { Intake } from "./journals/intake.ts";
import { journalEvents } from "./journals/journal-events.ts";
import { EvidenceLog } from "./log/evidence-log.ts";
import { kafkaOf } from "./publish/kafka-of.ts";
import { nowhere, type Published } from "./publish/published.ts";
import { Publisher } from "./publish/publisher.ts";
import { authorizeReplay } from "./rpc/authorize-replay.ts";
import { evidenceHandlers } from "./rpc/evidence.ts";
import { journalHandlers } from "./rpc/journal.ts";
import { SearchIndex } from "./search/search-index.ts";

/** Takes every service's journal into one ordered, hashed, signed log; sends it to Kafka; lets people search and follow it. */
export async function start(host: Host): Promise<Running> {
  const { config, clock } = host;
  const dir = join(config.dataDir, "audit");
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const search = SearchIndex.open(join(dir, "search.sqlite"));
  const key = checkpointPrivateKey(config.dataDir);
  const log = await EvidenceLog.open({
    dir: join(dir, "log"),
    trustDomain: config.trustDomain,
    key,
    subtree: (segment) => search.subtree(segment),
  });
  const positions = await search.follow(log);
  const kafka = config.evidence.kafka && (await kafkaOf(config.evidence.kafka, log.origin));
  const publisher = kafka && new Publisher({ log, clock, logger: host.log, cursorPath: join(dir, "published.json"), ...kafka });
  const published = publisher ?? nowhere(log);
  measure(host, log, published, publisher);
  const evidence = await EvidenceWriter.open({
    dir: join(dir, "journal"),
    service: "audit",
    version: host.version,
    clock,
    mode: config.evidence.mode,
    client: host.peers.client("audit", JournalService),
    maxBytes: config.evidence.journalMaxBytes,
    checkpointKey: rawPublicKey(key),
    log: host.log,
    meter: host.telemetry.meter,
  });
  const intake = new Intake(log, positions, journalEvents(evidence, host));
  host.listeners.peers.serve(JournalService, journalHandlers(log, intake, published, host.telemetry.tracer), {
    roles: ["authn", "pdp", "broker", "audit"],
    endless: ["ship"],
  });
  await evidence.settleInterrupted();
  const feed = await TrustFeed.follow(host);
  const gate = new Gate(host, feed);
  const authorize = authorizeReplay(gate, host.peers.client("pdp", DecisionService), evidence);
  const handlers = evidenceHandlers({ log, search, authorize, watch: (caller, signal) => gate.watch(caller, signal) });
  for (const door of [host.listeners.agents, host.listeners.agentsMtls, host.listeners.edge]) {
    door.serve(EvidenceService, handlers, { endless: ["tail"] });
  }

  return {
    name: "audit",
    ready: () => readiness(evidence, publisher, config.evidence.kafka?.backlogMaxBytes),
    stop: async () => {
      await evidence.stop();
      await feed.stop();
      await publisher?.stop();
      await search.close();
      await log.close();
    },
  };
}

function measure({ telemetry: { meter } }: Host, log: EvidenceLog, published: Published, publisher: Publisher | undefined): void {
  const gauge = (name: string, unit: string, description: string, value: () => number) =>
    meter.createObservableGauge(name, { unit, description }).addCallback((result) => result.observe(value()));
  gauge("sallyport.evidence.logged", "{record}", "Records in the evidence log", () => log.size);
  gauge(
    "sallyport.evidence.published",
    "{record}",
    "Records that Kafka acknowledged, or all logged ones without Kafka",
    () => published.size,
  );
  gauge("sallyport.evidence.backlog", "By", "Logged and not acknowledged by Kafka", () => publisher?.backlogBytes ?? 0);
}

function readiness(evidence: EvidenceWriter, publisher: Publisher | undefined, bound = 0): Health {
  if (evidence.failure !== undefined) return { ok: false, why: evidence.failure.message };
  if (publisher?.failing !== undefined && publisher.backlogBytes >= bound)
    return { ok: false, why: `Kafka does not take records: ${publisher.failing.why}` };
  return { ok: true };
}
