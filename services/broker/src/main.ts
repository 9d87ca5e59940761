import { join } from "node:path";
import { BrokerService, DecisionService, JournalService, ReviewService } from "@sallyport/contracts";
import { EvidenceWriter } from "@sallyport/journal";
import { brokerGroupKey, checkpointPublicKey, Gate, type Host, type Running, TrustFeed } from "@sallyport/service";
import { openConfiguredState } from "@sallyport/state";
import { brokerMetrics } from "./broker-metrics.ts";
import { Catalogue } from "./catalogue/catalogue.ts";
import { loadDataMasking } from "./data-masking/data-masking.ts";
import { derivationOf, derives } from "./masks/derivation.ts";
import { DerivedLedger } from "./masks/derived-ledger.ts";
import { TreeMasks } from "./masks/tree-masks.ts";
import { expiring } from "./reviews/expiring.ts";
import { openReview } from "./reviews/open-review.ts";
import { Reviews } from "./reviews/reviews.ts";
import { ReviewSeal } from "./reviews/seal.ts";
import { requestAccess, waitForAccess } from "./rpc/access.ts";
import { describe } from "./rpc/describe.ts";
import { list } from "./rpc/list.ts";
import { recordingGate } from "./rpc/recording-gate.ts";
import { reveal } from "./rpc/reveal.ts";
import { reviewHandlers } from "./rpc/reviews.ts";
import { use } from "./rpc/use.ts";
import { useUpload } from "./rpc/use-upload.ts";
import { write } from "./rpc/write.ts";
import { StateSeal } from "./sealing/state-seal.ts";
import { Stores } from "./stores/stores.ts";
import { digestOf } from "./targets/digest.ts";
import { Injector } from "./targets/inject/injector.ts";
import { MintedTokens } from "./targets/inject/minted/minted-tokens.ts";
import { Sender } from "./targets/sender.ts";
import { RemoteDecisions } from "./use/decisions.ts";
import { Fingerprints } from "./use/fingerprints.ts";
import type { UseParts } from "./use/parts.ts";

/** The data path: uses secrets for agents, asks people, masks what comes back. */
export async function start(host: Host): Promise<Running> {
  const { config, clock } = host;
  const brokerKey = brokerGroupKey(config.dataDir);
  const feed = await TrustFeed.follow(host);
  const evidence = await EvidenceWriter.open({
    dir: join(config.dataDir, "broker", "journal"),
    service: "broker",
    version: host.version,
    clock,
    mode: config.evidence.mode,
    client: host.peers.client("audit", JournalService),
    maxBytes: config.evidence.journalMaxBytes,
    checkpointKey: checkpointPublicKey(config.dataDir),
    log: host.log,
    meter: host.telemetry.meter,
  });
  await evidence.settleInterrupted();
  const gate = recordingGate(new Gate(host, feed), evidence);
  const state = await openConfiguredState(host);
  feed.onGeneration((generation) => state.useGeneration(generation));
  const catalogue = new Catalogue(config);
  const stores = await Stores.open(config, clock, { ...host.telemetry, brokerKey });
  const decisions = new RemoteDecisions(host.peers.client("pdp", DecisionService));
  const metrics = brokerMetrics(host.telemetry.meter);
  const reviews = new Reviews(state, new ReviewSeal(brokerKey), clock, metrics.review);
  const derivation = derivationOf(config);
  const ledger = derives(config) ? new DerivedLedger(state, new StateSeal(brokerKey, "derived values"), clock) : undefined;
  const masks = new TreeMasks(state, stores, clock, () => stores.ownCredentials(), derivation, ledger);
  const fingerprints = new Fingerprints(brokerKey);
  const tokens = new MintedTokens(state, new StateSeal(brokerKey, "minted tokens"), clock);
  const injector = new Injector(config, { clock, tokens });
  const sender = new Sender(config, { tracer: host.telemetry.tracer });
  feed.onRevoked(() => sender.dropDead());
  feed.onLeaseLost(() => sender.dropDead());
  const wired: Omit<UseParts, "openReview"> = {
    clock,
    gate,
    decisions,
    reviews,
    evidence,
    masks,
    reader: stores,
    fingerprints,
    digest: digestOf,
    masked: metrics.masked,
    data: await loadDataMasking(config, brokerKey),
    found: metrics.found,
    inject: (operation, secret, signal) => injector.inject(operation, secret, signal),
    send: async (operation, injected, signal, holder) => {
      const answer = await sender.send(operation, injected, signal, holder);
      // What it is told for comes with the next use; this one has its answer.
      await injected.answered?.(answer.status).catch((error) => host.log.warn(error, "a refused token could not be put aside"));
      return answer;
    },
  };
  const parts: UseParts = { ...wired, openReview: openReview(wired) };
  const describing = { gate, catalogue, decisions, evidence, reader: stores, fingerprints };
  const sweeper = expiring(reviews, evidence, clock);
  metrics.observeWaiting(() => sweeper.waiting);

  const broker = {
    list: list(gate, catalogue, decisions, evidence),
    describe: describe(describing),
    use: use(gate, catalogue, parts),
    useUpload: useUpload(gate, catalogue, parts),
    write: write({ ...describing, writer: stores, derivation }),
    reveal: reveal({ ...describing, state, masks, log: host.log }),
    requestAccess: requestAccess(gate, catalogue, parts),
    waitForAccess: waitForAccess(gate, reviews, clock),
  };
  const people = reviewHandlers(gate, clock, { reviews, decisions, catalogue, evidence, feed, gate });
  for (const door of [host.listeners.agents, host.listeners.agentsMtls, host.listeners.edge]) {
    door.serve(BrokerService, broker).serve(ReviewService, people);
  }
  if (config.proxy !== undefined) {
    // X.509 is heavy, and only this door needs it.
    const { proxyDoor } = await import("./proxy/start.ts");
    host.listeners.proxy.serve(await proxyDoor(host, config.proxy, { gate, catalogue, parts }));
  }

  return {
    name: "broker",
    ready: () => {
      const lease = feed.lease();
      if (evidence.failure !== undefined) return { ok: false, why: evidence.failure.message };
      if (!lease.held) return { ok: false, why: lease.why };
      // One store that does not serve is no reason to take the broker out: all replicas have the same, and the others go on.
      const notes = stores.troubles();
      return notes.length === 0 ? { ok: true } : { ok: true, notes };
    },
    stop: async () => {
      sweeper.stop();
      masks.close();
      await sender.close();
      await injector.close();
      await evidence.stop();
      await feed.stop();
      await stores.close();
      await state.close();
    },
  };
}
