import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../check/command.ts";
import { freePorts } from "../demo/free-port.ts";
import { Child } from "../support/process/child.ts";
import { removeScratch } from "../support/process/scratch.ts";
import { installed, run } from "./installed.ts";
import { write } from "./write.ts";

describe("the command line as it is published", function () {
  this.timeout(300_000);
  let folder: string;
  let bin: string;
  const sallyport = (...args: string[]) => run(process.execPath, [bin, ...args], folder);

  before(async () => {
    folder = await installed("@sallyport/cli");
    bin = join(folder, "node_modules/.bin/sallyport");
  });
  after(() => removeScratch(folder));

  it("says its version and what it can do", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "packages/cli/package.json"), "utf8"));
    assert.equal((await sallyport("--version")).trim(), version);
    assert.match(await sallyport("--help"), /reviews/);
  });

  it("makes an installation and runs it, from nothing but what was installed", async () => {
    await sallyport("init");
    const [agents, agentsMtls, peers, edge, ops] = (await freePorts(5)).map((port) => `127.0.0.1:${port}`);
    const file = join(folder, "sallyport.yaml");
    const listen = `listen: { agents: "${agents}", agentsMtls: "${agentsMtls}", peers: "${peers}", edge: "${edge}", ops: "${ops}" }`;
    write(file, `${readFileSync(file, "utf8")}${listen}\n`);
    await sallyport("config", "check");
    await sallyport("policy", "check");
    await sallyport("connections", "test", "store", "dev");
    const service = await Child.start(process.execPath, [bin, "start"], { cwd: folder });
    try {
      assert.ok(await isReady(`http://${ops}/readyz`), service.output);
      await service.stop(10_000);
      assert.equal(await service.exit(), 0, service.output);
      assert.match(await sallyport("audit", "verify"), /intact/);
    } finally {
      await service.kill();
    }
  });
});

async function isReady(url: string): Promise<boolean> {
  for (const until = Date.now() + 30_000; Date.now() < until; await sleep(100)) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return true;
  }
  return false;
}
