import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Agent, Person } from "@sallyport/sdk";
import { settledEvidence } from "../faults/evidence-log.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { refusalOf } from "../faults/told.ts";

const refund = { target: "orders-api", secret: "prod/orders/api", method: "POST", path: "/v1/refunds" };

describe("what /metrics tells of each promise", () => {
  let site: Site;
  let agent: Agent;
  let bob: Person;
  before(async function () {
    this.timeout(120_000);
    site = await embeddedSite();
    agent = await site.agent();
    bob = await site.person("bob", ["release-approvers"]);
  });
  after(() => site?.stop());

  const text = () => site.services.broker.metrics();
  /** The sum over all series of that name whose labels hold these texts. */
  const value = async (name: string, ...labels: string[]) => {
    const lines = (await text()).split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    const found = lines.filter((line) => labels.every((label) => line.includes(label)));
    return found.length === 0 ? undefined : found.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  };

  it("counts the values that were masked", async () => {
    const before = (await value("sallyport_masking_values_total")) ?? 0;
    await (await agent.use({ target: "orders-read", path: "/v1/echo/raw" })).text();
    assert.equal(await value("sallyport_masking_values_total"), before + 1);
    await (await agent.use({ target: "orders-read", path: "/v1/orders/1" })).text();
    assert.equal(await value("sallyport_masking_values_total"), before + 1, "and nothing where there was none");
  });

  it("counts reviews by what became of them, and says how many wait", async function () {
    this.timeout(30_000);
    const held = async (body: string) => (await refusalOf(() => agent.use({ ...refund, body }))).metadata.access_request_id as string;
    const [granted, rejected, waiting] = [await held('{"order":1}'), await held('{"order":2}'), await held('{"order":3}')];
    assert.equal(await value("sallyport_reviews_total", 'event="opened"'), 3);
    await bob.session.reviews.approve({ reviewId: granted, digest: (await bob.review(granted)).digest, reason: "fine" });
    await bob.session.reviews.reject({ reviewId: rejected, digest: (await bob.review(rejected)).digest, reason: "no" });
    await (await agent.use({ ...refund, body: '{"order":1}', accessRequestId: granted })).text();
    for (const event of ["granted", "rejected", "spent"])
      assert.equal(await value("sallyport_reviews_total", `event="${event}"`), 1, event);
    for (let tries = 0; (await value("sallyport_reviews_waiting")) !== 1; tries++) {
      assert.ok(tries < 150, `${waiting} waits`);
      await sleep(100);
    }
  });

  it("tells of each journal how full it is and how far behind the evidence log", async () => {
    await (await agent.use({ target: "orders-read", path: "/v1/orders/1" })).text();
    const logged = await settledEvidence(site.log);
    for (const service of ["authn", "pdp", "broker", "audit"]) {
      const label = `sallyport_service="${service}"`;
      const size = (await value("sallyport_journal_size", label)) ?? 0;
      const limit = (await value("sallyport_journal_limit", label)) ?? 0;
      assert.ok(size > 0 && size < limit, `${service}: ${size} of ${limit}`);
      assert.equal(await value("sallyport_journal_open_intents", label), 0);
    }
    for (let tries = 0; (await value("sallyport_journal_unshipped")) !== 0; tries++) {
      assert.ok(tries < 100, "everything is shipped in the end");
      await sleep(50);
    }
    assert.equal(await value("sallyport_journal_lag"), 0);
    assert.ok(((await value("sallyport_evidence_logged")) ?? 0) >= logged.length);
    assert.equal(await value("sallyport_evidence_backlog"), 0);
  });

  it("tells of the lease, of decisions, and of calls by their reason", async () => {
    assert.ok(((await value("sallyport_trust_lease", 'sallyport_service="broker"')) ?? 0) > 0);
    assert.ok(((await value("sallyport_policy_decision_duration_count", 'verdict="allowed"')) ?? 0) > 0);
    await refusalOf(() => agent.use({ target: "payroll-api", secret: "prod/payroll/db", path: "/v1/orders/1" }));
    assert.ok(((await value("rpc_server_call_duration_count", 'error_type="DENIED_BY_POLICY"')) ?? 0) > 0);
  });

  it("is all listed in docs/operations.md", async () => {
    const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
    const names = [...(await text()).matchAll(/^# TYPE (\S+)/gm)]
      .map(([, name]) => name as string)
      .filter((name) => name !== "target_info");
    assert.ok(names.length > 12, names.join());
    for (const name of names) assert.ok(page.includes(`\`${name}\``), `${name} is told of`);
  });
});
