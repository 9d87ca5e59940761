import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/sallyport.mjs", import.meta.url));
const anyPort = "listen: { agents: 127.0.0.1:0, agentsMtls: 127.0.0.1:0, peers: 127.0.0.1:0, edge: 127.0.0.1:0, ops: 127.0.0.1:0 }\n";

describe("sallyport init, config check and start", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sallyport-cli-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { cwd: folder, encoding: "utf8" });
    return { status, stdout, stderr };
  };

  it("makes an installation that checks, once; a second init changes nothing", () => {
    assert.equal(run("init", "--trust-domain", "example.internal").status, 0);
    const before = readFileSync(join(folder, "data/keys/credential.jwk"));
    assert.equal(run("config", "check").status, 0);
    assert.equal(run("policy", "check").status, 0);
    assert.match(run("init").stderr, /already/);
    assert.deepEqual(readFileSync(join(folder, "data/keys/credential.jwk")), before);
  });

  it("says what is wrong with a configuration, with exit code 2", () => {
    writeFileSync(join(folder, "sallyport.yaml"), "version: 1\ntrustDomain: x\npolices: ./p\n");
    const { status, stdout, stderr } = run("config", "check");
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /sallyport\.yaml:3:1: polices: .* did you mean "policies"\?/);
    assert.equal(run("start", "-c", "none.yaml").status, 2);
    assert.equal(run("start", "nobody").status, 2);
    assert.equal(run("no-such-command").status, 2);
  });

  it("never makes keys for a service that runs alone", () => {
    writeFileSync(
      join(folder, "sallyport.yaml"),
      `version: 1\ntrustDomain: x.internal\nservices: { pdp: { ${anyPort.trim()}, peers: { authn: "127.0.0.1:1", audit: "127.0.0.1:1" } } }\n`,
    );
    const { status, stderr } = run("start", "pdp");
    assert.equal(status, 1);
    assert.match(stderr, /run sallyport init/);
    assert.ok(!existsSync(join(folder, "data/keys")));
  });

  it("starts all four with new keys, says so, serves, and leaves with 0 on SIGTERM", async () => {
    writeFileSync(join(folder, "sallyport.yaml"), `version: 1\ntrustDomain: x.internal\n${anyPort}`);
    run("init");
    rmSync(join(folder, "data"), { recursive: true, force: true });
    const child: ChildProcess = spawn(process.execPath, [bin, "start"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let log = "";
    const serving = new Promise<void>((resolve, reject) => {
      child.stderr?.on("data", (chunk) => {
        log += chunk;
        if (log.includes('"serving"')) resolve();
      });
      child.on("exit", () => reject(new Error(log)));
    });
    const code = new Promise<number | null>((resolve) => child.on("exit", resolve));
    await serving;
    assert.match(log, /new data folder/);
    child.kill("SIGTERM");
    assert.equal(await code, 0);
    for (const line of log.trim().split("\n")) assert.doesNotThrow(() => JSON.parse(line), line);
  });
});
