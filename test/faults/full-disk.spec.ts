import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Agent } from "@sallyport/sdk";
import { mustRun } from "../demo/process.ts";
import { type Evidence, evidenceOnce, readEvidence, settledEvidence, terminalEvents, usesIn } from "./evidence-log.ts";
import { embeddedSite, type Site } from "./site.ts";
import { noSmallDisk, type SmallDisk, smallDisk } from "./small-disk.ts";
import { eventually, read, refusalOf, told } from "./told.ts";

const suite = noSmallDisk === undefined ? describe : describe.skip;

suite(`a disk without room${noSmallDisk === undefined ? "" : ` [skipped: ${noSmallDisk}]`}`, () => {
  let site: Site;
  let agent: Agent;
  let disk: SmallDisk;
  before(async function () {
    this.timeout(120_000);
    site = await embeddedSite({
      configure: (config) => {
        disk = smallDisk(config.dataDir, 24);
        config.evidence = { journalMaxBytes: 1_048_576 };
      },
    });
    agent = await site.agent();
    await read(agent, "/v1/orders/before");
  });
  after(async () => {
    disk?.free();
    await site?.services.broker.stop();
    disk?.unmount();
    await site?.stop();
  });

  it("stops every effect before it begins, says so, lets operators look, and all is well once there is room", async () => {
    const gone = new AbortController();
    const running = await agent.use({ target: "orders-read", path: "/v1/ledger?marker=begun-before", signal: gone.signal });
    disk.fill();
    // The last page of the file may take one or two more.
    await eventually("AUDIT_UNAVAILABLE", () => read(agent, "/v1/orders/no-room"), 5_000);
    const served = site.api.served.length;
    for (let use = 0; use < 20; use++) {
      const began = performance.now();
      const refusal = await refusalOf(() => read(agent, "/v1/orders/no-room"));
      assert.equal(refusal.reason, "AUDIT_UNAVAILABLE", refusal.message);
      assert.match(refusal.message, /room|disk/);
      assert.ok(performance.now() - began < 2_000);
    }
    assert.equal(site.api.served.length, served);
    assert.ok(["AUDIT_UNAVAILABLE", "STATE_UNAVAILABLE"].includes(await told(() => site.agent("nobody"))));

    const { healthz, readyz, metrics } = await site.services.broker.pages();
    assert.deepEqual([healthz, metrics], [200, 200]);
    assert.equal(readyz.status, 503);
    assert.match(readyz.text, /room|disk/);

    // An effect that had begun gets its outcome from the room that was kept for it.
    gone.abort();
    await assert.rejects(running.text());
    await sleep(300);

    disk.free();
    await eventually("done", () => read(agent, "/v1/orders/room-again"));
    await (await site.agent("newcomer")).describe("prod/orders/read");
    assert.equal((await site.services.broker.pages()).readyz.status, 200);
    await evidenceOnce(site.log, "the use after", (records) => terminalEvents(records, "room-again").length > 0);
    await settledEvidence(site.log);
    // What was refused meanwhile is counted, and summed up at the latest now.
    await site.services.broker.stop();
    const refusedIn = (records: Evidence[]) =>
      terminalEvents(records, "no-room")
        .filter(({ status_code }) => status_code === "AUDIT_UNAVAILABLE")
        .reduce((sum, { count }) => sum + (count ?? 1), 0);
    await evidenceOnce(site.log, "all that was refused", (all) => refusedIn(all) >= 1 + 20);
    const records = readEvidence(site.log);
    const begun = terminalEvents(records, "begun-before");
    assert.deepEqual(
      begun.map(({ status_code }) => status_code),
      ["CANCELLED"],
    );
    assert.equal(refusedIn(records), 1 + 20);
    const uses = usesIn(records);
    for (const { intent, outcomes } of uses) assert.equal(outcomes.length, 1, intent.metadata.uid);
    const intents = new Set(uses.map(({ intent }) => intent.unmapped.sallyport.statement?.masked));
    for (const { path } of site.api.served) assert.ok(intents.has(`GET ${path}`), path);
    await mustRun(["audit", "verify", "--log", site.log]);
  });
});
