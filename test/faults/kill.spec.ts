import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Agent, Refusal } from "@sallyport/sdk";
import { mustRun } from "../demo/process.ts";
import { describeWith, kafka, redis, withOptions } from "../support/servers.ts";
import { completeUses, effectProblems } from "./effects.ts";
import { embeddedSite, type Role, type Site, splitSite } from "./site.ts";
import { topicProblem } from "./topic-problem.ts";

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
      this.timeout(60_000 + kills * 15_000);
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
      this.timeout(60_000 + kills * 15_000);
      const told = await usesUnderKills(site, ["broker", "audit", "authn", "pdp"]);
      await effectsHaveEvidence(site, told);
      assert.equal(await topicProblem(servers.kafka().address, topic, site.log), undefined);
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

async function effectsHaveEvidence(site: Site, told: Told): Promise<void> {
  const { log } = site;
  const { served } = site.api;
  const uses = await completeUses({ log, served });
  assert.ok(served.length > 0 && told.succeeded.size > 0);
  assert.deepEqual(effectProblems(served, uses, told.succeeded), []);
  const verified = await mustRun(["audit", "verify", "--log", log]);
  assert.match(verified, /intact|verif/i);
}
