import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Agent } from "@sallyport/sdk";
import { describeWith, redis, withOptions } from "../support/servers.ts";
import { type Recorder, startRecorder } from "./recorder.ts";
import { type Site, splitSite } from "./site.ts";
import { eventually, read, told } from "./told.ts";

describeWith("revocation and the lease", { redis: withOptions(redis, { own: true }) }, (servers) => {
  let site: Site;
  let target: Recorder;
  before(async function () {
    this.timeout(120_000);
    target = await startRecorder();
    site = await splitSite(servers.redis().address, {
      configure: (config) => {
        config.targets["orders-read"].baseUrl = target.url;
      },
    });
  });
  after(async () => {
    await site?.stop();
    await target?.stop();
  });

  it("a broker that was frozen for 5 s around a revocation begins nothing for that subtree from 1 s on", async () => {
    const [doomed, other] = await Promise.all([site.agent("doomed"), site.agent("other")]);
    const sam = await site.person("sam", ["security"]);
    const uses = keepUsing(doomed, "doomed");
    await eventually("done", () => read(other, "/v1/orders/other-before"));
    await sleep(300);
    site.services.broker.freeze();
    await sleep(500);
    await sam.session.revocations.revoke({ subject: { case: "sessionId", value: doomed.sessionId }, reason: "misbehaves" });
    const revokedAt = Date.now();
    await sleep(4_500);
    site.services.broker.thaw();
    await eventually("done", () => read(other, "/v1/orders/other-after"));
    await sleep(500);
    const reasons = await uses.end();

    const late = target.arrived.filter(({ path, at }) => path.includes("doomed") && at > revokedAt + 1_000);
    assert.deepEqual(late, []);
    assert.ok(
      target.arrived.some(({ path }) => path.includes("doomed")),
      "it did use the target before",
    );
    assert.equal(await told(() => read(doomed, "/v1/orders/doomed-after")), "CREDENTIAL_REVOKED");
    assert.ok(reasons.has("CREDENTIAL_REVOKED"), [...reasons].join());
  });

  for (const [what, lose, regain] of [
    ["is frozen", () => site.services.authn.freeze(), async () => site.services.authn.thaw()],
    ["is killed", () => site.services.authn.kill(), () => site.services.authn.start()],
  ] as const) {
    it(`a broker whose authn ${what} refuses within 1 s, and recovers by itself`, async () => {
      const agent = await site.agent(`cut-off-${what.replace(" ", "-")}`);
      await read(agent, "/v1/orders/before");
      const uses = keepUsing(agent, "cut-off");
      try {
        await lose();
        const lostAt = Date.now();
        await eventually("STATE_UNAVAILABLE", () => read(agent, "/v1/orders/cut-off"), 1_000);
        await sleep(lostAt + 2_500 - Date.now());
        const late = target.arrived.filter(({ path, at }) => path.includes("cut-off") && at > lostAt + 1_000);
        assert.deepEqual(late, []);
        assert.equal(await site.services.broker.serves(), false);
      } finally {
        await regain();
      }
      await eventually("done", () => read(agent, "/v1/orders/again"));
      assert.equal(await site.services.broker.serves(), true);
      await uses.end();
    });
  }

  /** Two uses at a time, always. */
  function keepUsing(agent: Agent, name: string): { end(): Promise<Set<string>> } {
    const reasons = new Set<string>();
    let done = false;
    let use = 0;
    const worker = async () => {
      while (!done) {
        const outcome = await told(() => read(agent, `/v1/orders/${name}-${++use}`));
        reasons.add(outcome);
        if (outcome !== "done") await sleep(20);
      }
    };
    const workers = Promise.all([worker(), worker()]);
    return {
      end: async () => {
        done = true;
        await workers;
        return reasons;
      },
    };
  }
});
