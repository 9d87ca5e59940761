import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Agent } from "@sallyport/sdk";
import { decodeProtectedHeader } from "jose";
import { mustRun } from "../demo/process.ts";
import { describeWith, redis, withOptions } from "../support/servers.ts";
import { orders, type Site, splitSite } from "./site.ts";
import { read, told } from "./told.ts";

describeWith("rotating the key that signs credentials", { redis: withOptions(redis, { own: true }) }, (servers) => {
  let site: Site;
  before(async function () {
    this.timeout(120_000);
    site = await splitSite(servers.redis().address, {
      configure: (config) => {
        config.authn = { credentialSeconds: 5 };
      },
    });
  });
  after(() => site?.stop());

  const kidOf = ({ session }: Agent) => decodeProtectedHeader(session.credential.token).kid;
  const authnFile = () => join(site.folder, "authn.yaml");

  it("refuses no call of those who work through it, by key and by certificate, over four processes", async function () {
    this.timeout(60_000);
    const agents = await Promise.all([site.agent("by-key"), site.agent("by-certificate", orders, { binding: "mtls" })]);
    const before = agents.map(kidOf);
    const outcomes = new Map<string, number>();
    const kids = agents.map(() => new Set<unknown>());
    const working = new AbortController();
    const work = agents.map(async (agent, index) => {
      for (let count = 0; !working.signal.aborted; count++) {
        const outcome = await told(() => read(agent, `/v1/orders/${count}`));
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        kids[index]?.add(kidOf(agent));
        await sleep(50);
      }
    });
    await sleep(1_000);
    await mustRun(["keys", "rotate", "--in", "3", "-c", authnFile()]);
    await sleep(10_000);
    working.abort();
    await Promise.all(work);
    assert.deepEqual([...outcomes.keys()], ["done"], JSON.stringify([...outcomes]));
    for (const [index, seen] of kids.entries()) assert.deepEqual([seen.size, seen.has(before[index])], [2, true]);
    assert.equal(new Set(agents.map(kidOf)).size, 1);
  });

  it("ends no session, though authn is killed and started again after it", async function () {
    this.timeout(60_000);
    const agent = await site.agent("survivor");
    await site.services.authn.kill();
    await site.services.authn.start();
    await sleep(5_500);
    for (const until = Date.now() + 10_000; (await told(() => read(agent, "/v1/orders/1"))) !== "done"; await sleep(200)) {
      assert.ok(Date.now() < until, "it never worked again");
    }
    const listed = JSON.parse(await mustRun(["keys", "ls", "-c", authnFile(), "-o", "json"])) as { kid: string; state: string }[];
    assert.deepEqual(
      listed.map(({ state }) => state),
      ["verifies", "signs"],
    );
    assert.equal(kidOf(agent), listed[1]?.kid);
  });
});
