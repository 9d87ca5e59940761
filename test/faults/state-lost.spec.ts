import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { describeWith, redis, withOptions } from "../support/servers.ts";
import { settledEvidence, usesIn } from "./evidence-log.ts";
import { type Site, splitSite } from "./site.ts";
import { eventually, read, told } from "./told.ts";

describeWith("shared state that fails", { redis: withOptions(redis, { own: true }) }, (servers) => {
  let site: Site;
  before(async function () {
    this.timeout(120_000);
    site = await splitSite(servers.redis().address);
  });
  after(() => site?.stop());

  it("a frozen Redis: refused in bounded time, no effect, and all well once it is back", async () => {
    const agent = await site.agent("frozen");
    await read(agent, "/v1/orders/before");
    servers.redis().pause();
    try {
      await eventually("STATE_UNAVAILABLE", () => read(agent, "/v1/orders/frozen"), 3_000);
      const served = site.api.served.length;
      const began = performance.now();
      assert.equal(await told(() => read(agent, "/v1/orders/frozen")), "STATE_UNAVAILABLE");
      assert.equal(await told(() => site.agent("nobody")), "STATE_UNAVAILABLE");
      const took = performance.now() - began;
      assert.ok(took < 5_000, `${took} ms for two refusals`);
      await sleep(1_000);
      assert.equal(site.api.served.length, served);
    } finally {
      servers.redis().resume();
    }
    await eventually("done", () => read(agent, "/v1/orders/thawed"));
  });

  it("a Redis that comes back empty: every older credential is dead, on record, and new ones are served", async () => {
    const agent = await site.agent("old");
    await read(agent, "/v1/orders/full");
    await servers.redis().restart({ empty: true });
    const began = performance.now();
    await eventually("CREDENTIAL_REVOKED", () => read(agent, "/v1/orders/empty"));
    assert.ok(performance.now() - began < 10_000);
    const served = site.api.served.length;
    assert.equal(await told(() => read(agent, "/v1/orders/empty")), "CREDENTIAL_REVOKED");
    assert.equal(site.api.served.length, served);
    let successor = agent;
    await eventually("done", async () => {
      successor = await site.agent("new");
    });
    await eventually("done", () => read(successor, "/v1/orders/refilled"));
    const records = await settledEvidence(site.log);
    assert.ok(
      records.some(({ metadata }) => /epoch/.test(metadata.event_code)),
      [...new Set(records.map(({ metadata }) => metadata.event_code))].join(),
    );
    for (const { outcomes } of usesIn(records)) assert.equal(outcomes.length, 1);
  });
});
