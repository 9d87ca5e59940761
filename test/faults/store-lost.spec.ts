import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Agent } from "@sallyport/sdk";
import { mustRun } from "../demo/process.ts";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";
import { describeWith, openbao, withOptions } from "../support/servers.ts";
import { settledEvidence } from "./evidence-log.ts";
import { embeddedSite, type Site } from "./site.ts";
import { eventually, read, told } from "./told.ts";

describeWith("the vault fails under load", { vault: withOptions(openbao, { durable: true }) }, ({ vault }) => {
  let site: Site;
  let agent: Agent;
  let folder: string;
  before(async function () {
    this.timeout(120_000);
    folder = scratchFolder("vault-role");
    await vault().api("POST", "sys/auth/approle", { type: "approle" });
    await vault().api("POST", "sys/policies/acl/broker", { policy: 'path "secret/*" { capabilities = ["read", "create", "update"] }' });
    await vault().api("POST", "auth/approle/role/broker", { token_policies: "broker", token_ttl: "10m" });
    const role = (await vault().api("GET", "auth/approle/role/broker/role-id")) as { data: { role_id: string } };
    const secret = (await vault().api("POST", "auth/approle/role/broker/secret-id", {})) as { data: { secret_id: string } };
    writeFileSync(join(folder, "role"), role.data.role_id);
    writeFileSync(join(folder, "secret"), secret.data.secret_id);
    site = await embeddedSite({
      configure: ({ stores }) => {
        const approle = { roleId: `file:${join(folder, "role")}`, secretId: `file:${join(folder, "secret")}` };
        for (const name of Object.keys(stores))
          stores[name] = { kind: "openbao", address: vault().address, auth: { approle }, network: ["127.0.0.0/8"] };
      },
    });
    agent = await site.agent();
  });
  after(async () => {
    await site?.stop();
    removeScratch(folder);
  });

  /** Uses by four at once for as long as `work` takes, counted by what came of each. */
  const under = async (work: () => Promise<void>): Promise<Map<string, number>> => {
    const counts = new Map<string, number>();
    let busy = true;
    const load = Array.from({ length: 4 }, async (_, i) => {
      while (busy) {
        const outcome = await told(() => read(agent, `/v1/orders/load-${i}`));
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        if (outcome !== "done") await sleep(20);
      }
    });
    try {
      await sleep(300);
      await work();
      await sleep(300);
    } finally {
      busy = false;
      await Promise.all(load);
    }
    return counts;
  };
  const ready = async () =>
    (await (await fetch(`http://${readyAt()}/readyz`)).json()) as { ok: boolean; parts: { broker: { notes?: string[] } } };
  const readyAt = () => /ops: "?([\d.]+:\d+)/.exec(readFileSync(site.configFile, "utf8"))?.[1] as string;

  it("its token revoked: no use fails for it", async function () {
    this.timeout(60_000);
    const counts = await under(() => vault().revokeTokens("broker"));
    assert.deepEqual([...counts.keys()], ["done"]);
    assert.ok((counts.get("done") ?? 0) > 5);
  });

  it("sealed: uses are refused with STORE_UNAVAILABLE, the broker stays ready and says so, and all is well once it is unsealed", async function () {
    this.timeout(60_000);
    const counts = await under(async () => {
      await vault().seal();
      await sleep(1_500);
      const { ok, parts } = await ready();
      assert.ok(ok);
      assert.match(parts.broker.notes?.join() ?? "", /is sealed/);
      assert.match(await site.services.broker.metrics(), /sallyport_store_serving\{[^}]*\} 0/);
      await vault().unseal();
      await eventually("done", () => read(agent, "/v1/orders/unsealed"), 15_000);
    });
    assert.deepEqual([...counts.keys()].sort(), ["STORE_UNAVAILABLE", "done"]);
    assert.equal((await ready()).parts.broker.notes, undefined);
    assert.match(await site.services.broker.metrics(), /sallyport_store_serving\{[^}]*\} 1/);
  });

  it("killed and started again: the same", async function () {
    this.timeout(60_000);
    const counts = await under(async () => {
      await vault().kill();
      await sleep(500);
      await vault().restart();
      await eventually("done", () => read(agent, "/v1/orders/restarted"), 15_000);
    });
    assert.deepEqual([...counts.keys()].sort(), ["STORE_UNAVAILABLE", "done"]);
  });

  it("and nothing of it is left: no value and no credential in the log, every use on record, the evidence whole", async function () {
    this.timeout(60_000);
    await settledEvidence(site.log);
    await mustRun(["audit", "verify", "--log", site.log]);
    const log = readFileSync(site.services.broker.logFile, "utf8");
    for (const hidden of [site.canary, readFileSync(join(folder, "secret"), "utf8")]) assert.ok(!log.includes(hidden));
  });
});
