import { join } from "node:path";
import { problemText } from "@sallyport/cedar";
import { DecisionService, JournalService } from "@sallyport/contracts";
import { EvidenceWriter } from "@sallyport/journal";
import { catalogueOf } from "@sallyport/policy";
import type { Health, Host, Running } from "@sallyport/service";
import { loadRecords } from "./bundle/load-records.ts";
import { ServedPolicies } from "./bundle/served-policies.ts";
import { decisionMetrics } from "./decision-metrics.ts";
import { check } from "./rpc/check.ts";

/** May they: policies, and the decision for a whole chain. Holds no secret. */
export async function start(host: Host): Promise<Running> {
  const { clock, config, listeners, log, peers, telemetry, version } = host;
  const evidence = await EvidenceWriter.open({
    dir: join(config.dataDir, "pdp", "journal"),
    service: "pdp",
    version,
    clock,
    mode: config.evidence.mode,
    client: peers.client("audit", JournalService),
    maxBytes: config.evidence.journalMaxBytes,
    log,
    meter: telemetry.meter,
  });
  await evidence.settleInterrupted();

  const catalogue = catalogueOf(config);
  const policies = new ServedPolicies({ folder: config.policies, log, records: loadRecords(evidence), catalogue });
  const following = policies.follow();
  // In strict mode the first load waits for Kafka, which may be reached only once the doors are open.
  if (config.evidence.mode !== "strict") await following;

  const decided = decisionMetrics(telemetry.meter, () => policies.problems.length > 0);
  const parts = { policies, catalogue, clock, decided };
  listeners.peers.serve(DecisionService, { check: check(parts) }, { roles: ["broker", "authn", "audit"] });

  return {
    name: "pdp",
    ready: () => health(policies, evidence),
    stop: async () => {
      await following;
      await policies.stop();
      await evidence.stop();
    },
  };
}

function health(policies: ServedPolicies, evidence: EvidenceWriter): Health {
  if (evidence.failure !== undefined) return { ok: false, why: evidence.failure.message };
  if (policies.current !== undefined) return { ok: true };
  const [problem] = policies.problems;
  return { ok: false, why: problem === undefined ? "policies are being loaded" : `policies are refused: ${problemText(problem)}` };
}
