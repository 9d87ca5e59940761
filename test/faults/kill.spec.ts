import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Agent, Refusal } from "@sallyport/sdk";
import { readTopic } from "../demo/kafka-topic.ts";
import { mustRun } from "../demo/process.ts";
import { describeWith, kafka, redis, withOptions } from "../support/servers.ts";
import { logLines, settledEvidence, usesIn } from "./evidence-log.ts";
import { embeddedSite, type Role, type Site, splitSite } from "./site.ts";

const kills = Number(process.env.SALLYPORT_KILLS ?? 5);

/** What an agent knows of its uses: the ones that it was told succeeded, and how many were refused. */
interface Told {
  readonly succeeded: Set<string>;
  refused: number;
}

describe("killed at a random moment", () => {
  describe("all four services in one process", () => {
    let site: Site;
    before(async function () {
      this.timeout(120_000);
      site = await embeddedSite();
    });
    after(() => site?.stop());

    it(`keeps evidence and effects together over ${kills} kills`, async function () {
      this.timeout(30_000 + kills * 10_000);
      const told = await usesUnderKills(site, ["broker"]);
      await effectsHaveEvidence(site, told);
    });
  });

  describeWith("each service a process of its own", { redis: withOptions(redis, { own: true }), kafka }, (servers) => {
    let site: Site;
    const topic = `sallyport.kills.${process.pid}`;
    before(async function () {
      this.timeout(120_000);
      site = await splitSite(servers.redis().address, { kafka: { address: servers.kafka().address, topic } });
    });
    after(() => site?.stop());

    it(`keeps evidence, effects and Kafka together over ${kills} kills`, async function () {
      this.timeout(60_000 + kills * 10_000);
      const told = await usesUnderKills(site, ["broker", "audit", "authn", "pdp"]);
      await effectsHaveEvidence(site, told);
      const { lines } = await readTopic(servers.kafka().address, topic);
      assert.deepEqual(lines, logLines(site.log));
    });
  });
});

/** Four uses at a time, always, while one service after the other is killed and started again. */
async function usesUnderKills(site: Site, victims: readonly Role[]): Promise<Told> {
  const told: Told = { succeeded: new Set(), refused: 0 };
  const agent = await site.agent();
  let order = 0;
  let done = false;
  const worker = async () => {
    while (!done) await useOnce(agent, `/v1/orders/kill-${++order}`, told);
  };
  const workers = Array.from({ length: 4 }, worker);
  try {
    for (let kill = 0; kill < kills; kill++) {
      const before = told.succeeded.size;
      const victim = site.services[victims[kill % victims.length] as Role];
      await sleep(50 + Math.random() * 400);
      await victim.kill();
      await victim.start();
      for (const until = Date.now() + 20_000; told.succeeded.size === before; await sleep(20))
        assert.ok(Date.now() < until, `no use succeeds again after kill ${kill + 1} of ${victims[kill % victims.length]}`);
    }
  } finally {
    done = true;
    await Promise.all(workers);
  }
  return told;
}

async function useOnce(agent: Agent, path: string, told: Told): Promise<void> {
  try {
    const answer = await agent.use({ target: "orders-read", path, timeoutMs: 5_000 });
    await answer.text();
    if (answer.status === 200) told.succeeded.add(path);
  } catch (error) {
    assert.ok(error instanceof Refusal, `not a refusal: ${(error as Error).stack}`);
    told.refused++;
    await sleep(20);
  }
}

/** The uses on record, once each request that the target served is among them and each has ended; the last state after 30 s. */
async function completeUses(site: Site): Promise<ReturnType<typeof usesIn>> {
  for (const until = Date.now() + 30_000; ; await sleep(500)) {
    const uses = usesIn(await settledEvidence(site.log));
    const recorded = new Set(uses.map(pathOf));
    const complete = uses.every(({ outcomes }) => outcomes.length > 0) && site.api.served.every(({ path }) => recorded.has(path));
    if (complete || Date.now() > until) return uses;
  }
}

const pathOf = ({ intent }: ReturnType<typeof usesIn>[number]) => intent.unmapped.sallyport.statement?.masked.replace(/^GET /, "");

async function effectsHaveEvidence(site: Site, told: Told): Promise<void> {
  // A journal is shipped again within moments of the audit writer's return; what is still missing after that is lost.
  const uses = await completeUses(site);
  const intents = Map.groupBy(uses, pathOf);
  assert.ok(site.api.served.length > 0 && told.succeeded.size > 0);
  const unrecorded = site.api.served.filter(({ path }) => intents.get(path)?.length !== 1);
  assert.deepEqual(unrecorded, [], "each request that reached the target has its intent");
  const served = new Set(site.api.served.map(({ path }) => path));
  assert.equal(served.size, site.api.served.length, "none reached it twice");
  const torn = uses.filter(({ outcomes }) => outcomes.length !== 1);
  assert.deepEqual(torn, [], "each intent has exactly one outcome");
  for (const path of told.succeeded) {
    const outcome = intents.get(path)?.[0]?.outcomes[0];
    // The agent can be told the end a moment before the outcome is durable: then nobody who restarts can know.
    assert.ok(outcome?.status_id === 1 || outcome?.status_id === 0, `${path} succeeded, not ${outcome?.status}`);
  }
  const unknown = uses.filter(({ outcomes }) => outcomes[0]?.status_id === 0);
  for (const { outcomes } of unknown) assert.match(outcomes[0]?.status_code ?? "", /OUTCOME_UNKNOWN|CANCELLED|STATE_UNAVAILABLE/);
  const verified = await mustRun(["audit", "verify", "--log", site.log]);
  assert.match(verified, /intact|verif/i);
}
