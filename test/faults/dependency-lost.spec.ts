import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { describeWith, redis, withOptions } from "../support/servers.ts";
import { evidenceOnce, settledEvidence, terminalEvents, usesIn } from "./evidence-log.ts";
import { type Site, splitSite } from "./site.ts";
import { eventually, read, refusalOf, told } from "./told.ts";

describeWith("what a broker depends on fails", { redis: withOptions(redis, { own: true }) }, (servers) => {
  let site: Site;
  before(async function () {
    this.timeout(120_000);
    site = await splitSite(servers.redis().address);
  });
  after(() => site?.stop());

  for (const [what, lose, regain] of [
    ["frozen", () => site.services.pdp.freeze(), async () => site.services.pdp.thaw()],
    ["killed", () => site.services.pdp.kill(), () => site.services.pdp.start()],
  ] as const) {
    it(`POLI-05: a pdp that is ${what}: denied in bounded time, on record, no effect, and all well once it is back`, async () => {
      const agent = await site.agent(`pdp-${what}`);
      await read(agent, "/v1/orders/before");
      await lose();
      const served = site.api.served.length;
      try {
        const began = performance.now();
        assert.equal(await told(() => read(agent, `/v1/orders/no-pdp-${what}`)), "POLICY_UNAVAILABLE");
        assert.ok(performance.now() - began < 4_000);
        const marker = `no-pdp-${what}`;
        await evidenceOnce(site.log, marker, (records) => terminalEvents(records, marker).length > 0);
        const [event, ...more] = terminalEvents(await settledEvidence(site.log), marker);
        assert.deepEqual([event?.status_id, event?.status_code, more.length], [2, "POLICY_UNAVAILABLE", 0]);
      } finally {
        await regain();
      }
      assert.equal(site.api.served.length, served);
      await eventually("done", () => read(agent, "/v1/orders/pdp-again"));
    });
  }

  it("AUDT-09: an agent that goes away before it is decided leaves one event: given up, the secret not used", async () => {
    const agent = await site.agent("undecided");
    await read(agent, "/v1/orders/before");
    site.services.pdp.freeze();
    try {
      assert.equal(await told(() => read(agent, "/v1/orders/undecided-late", 400)), "CANCELLED");
      const gone = new AbortController();
      setTimeout(() => gone.abort(), 300);
      const use = () => agent.use({ target: "orders-read", path: "/v1/orders/undecided-gone", signal: gone.signal });
      assert.equal(await told(use), "CANCELLED");
    } finally {
      site.services.pdp.thaw();
    }
    const found = ["undecided-late", "undecided-gone"];
    await evidenceOnce(site.log, "both", (records) => found.every((marker) => terminalEvents(records, marker).length > 0));
    const records = await settledEvidence(site.log);
    for (const marker of found) {
      const [event, ...more] = terminalEvents(records, marker);
      assert.deepEqual([event?.status_code, more.length], ["CANCELLED", 0]);
      assert.equal(event?.unmapped.sallyport.details?.used_at_target ?? false, false);
      assert.ok(!site.api.served.some(({ path }) => path.includes(marker)));
    }
  });

  for (const [what, lose, regain] of [
    ["frozen", async () => servers.redis().pause(), async () => servers.redis().resume()],
    ["gone", () => servers.redis().kill(), () => servers.redis().restart()],
  ] as const) {
    it(`a Redis that is ${what}: a use in flight is cut and on record, the next are refused in bounded time, and all is well once it is back`, async () => {
      const agent = await site.agent(`redis-${what}`);
      const marker = `in-flight-${what}`;
      const inFlight = await agent.use({ target: "orders-read", path: `/v1/ledger?marker=${marker}` });
      const cut = refusalOf(() => inFlight.text());
      await lose();
      const lostAt = performance.now();
      try {
        assert.equal((await cut).reason, "STATE_UNAVAILABLE");
        assert.ok(performance.now() - lostAt < 3_000, `cut after ${performance.now() - lostAt} ms`);
        await eventually("STATE_UNAVAILABLE", () => read(agent, `/v1/orders/${what}`), 3_000);
        const served = site.api.served.length;
        const began = performance.now();
        assert.equal(await told(() => read(agent, `/v1/orders/${what}`)), "STATE_UNAVAILABLE");
        assert.equal(await told(() => site.agent("nobody")), "STATE_UNAVAILABLE");
        const took = performance.now() - began;
        assert.ok(took < 5_000, `${took} ms for two refusals`);
        await sleep(1_000);
        assert.equal(site.api.served.length, served);
        assert.equal((await site.services.broker.pages()).healthz, 200);
        assert.equal(await site.services.broker.serves(), false);
      } finally {
        await regain();
      }
      await eventually("done", () => read(agent, `/v1/orders/${what}-no-more`));
      const [event, ...more] = terminalEvents(await settledEvidence(site.log), marker);
      assert.deepEqual([event?.status_id, event?.status_code, more.length], [0, "STATE_UNAVAILABLE", 0]);
      assert.equal(event?.unmapped.sallyport.details?.used_at_target, true);
    });
  }

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

  describe("a clock that is 10 minutes off", () => {
    for (const [what, offMs] of [
      ["ahead", 600_000],
      ["behind", -600_000],
    ] as const) {
      it(`a broker's, ${what}: every use is refused with a sentence that speaks of the clock, and all is well once it is right`, async () => {
        const agent = await site.agent(`broker-${what}`);
        await eventually("done", () => read(agent, "/v1/orders/before"));
        await site.services.broker.restart(offMs);
        try {
          const served = site.api.served.length;
          const refusal = await refusalOf(() => read(agent, `/v1/orders/${what}`));
          assert.equal(refusal.reason, offMs > 0 ? "CREDENTIAL_EXPIRED" : "UNAUTHENTICATED", refusal.message);
          assert.match(refusal.message, /clock/);
          assert.equal(site.api.served.length, served);
        } finally {
          await site.services.broker.restart();
        }
        await eventually("done", () => read(agent, `/v1/orders/${what}-no-more`));
      });
    }

    it("authn's: nobody signs in, with a sentence that speaks of the clock; who is in goes on", async () => {
      const agent = await site.agent("authn-off");
      await site.services.authn.restart(600_000);
      try {
        const refusal = await refusalOf(() => site.agent("newcomer"));
        assert.equal(refusal.reason, "PROOF_INVALID");
        assert.match(refusal.message, /clock/);
        await eventually("done", () => read(agent, "/v1/orders/authn-off"));
      } finally {
        await site.services.authn.restart();
      }
      await eventually("done", () => site.agent("newcomer"));
    });
  });
});
