import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { freePorts } from "../demo/free-port.ts";
import { at } from "../demo/installation.ts";
import { mustRun, sallyport } from "../demo/process.ts";
import { Service } from "../faults/service.ts";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";

const folderInstead = (path: string) => {
  rmSync(path);
  mkdirSync(path);
};

describe("starting on what cannot be used", () => {
  let folder: string;
  let config: string;
  let written: string;
  let listen: Record<string, string>;
  before(async () => {
    folder = scratchFolder("start");
    config = join(folder, "sallyport.yaml");
    await mustRun(["init", "--trust-domain", "example.internal", "-c", config]);
    const ports = await freePorts(5);
    listen = Object.fromEntries(["agents", "agentsMtls", "peers", "edge", "ops"].map((door, index) => [door, at(ports[index] as number)]));
    written = `${readFileSync(config, "utf8")}listen: ${JSON.stringify(listen)}\n`;
    writeFileSync(config, written);
  });
  after(() => removeScratch(folder));
  afterEach(() => writeFileSync(config, written));

  /** It ends by itself, in time, with one sentence for whoever starts it, and no trace of the code. */
  const refuses = async (code: number, ...sentence: RegExp[]) => {
    const began = performance.now();
    const ran = await sallyport(["start", "-c", config]);
    assert.ok(performance.now() - began < 15_000);
    assert.equal(ran.code, code, ran.stderr);
    assert.equal(ran.stdout, "");
    for (const part of sentence) assert.match(ran.stderr, part);
    assert.doesNotMatch(ran.stderr, /\n\s+at |node:internal|Error:/);
  };

  it("a typo in the configuration: where it is, and what was meant", async () => {
    writeFileSync(config, written.replace("policies:", "polices:"));
    await refuses(2, /sallyport\.yaml:\d+:1: polices: .*did you mean "policies"\?/);
  });

  it("a setting that is there twice, a name that leads nowhere, a value of another kind: all of them, each with its place", async () => {
    appendFileSync(config, "dataDir: ./elsewhere\n");
    await refuses(2, /sallyport\.yaml:\d+:\d+: .*(unique|twice|duplicate)/i);
    writeFileSync(config, `${written}secrets: { prod/a: { store: deb, fields: [token] } }\nstate: mysql\n`);
    await refuses(2, /secrets.*deb/, /state/);
  });

  it("a port that is in use: which one, and the setting to change", async () => {
    const squatter = createServer();
    const port = Number(listen.edge?.split(":")[1]);
    await new Promise<void>((resolve) => squatter.listen(port, "127.0.0.1", resolve));
    try {
      await refuses(1, new RegExp(`127\\.0\\.0\\.1:${port}: the port is in use`), /listen\.edge/);
    } finally {
      squatter.close();
    }
  });

  for (const [file, what, spoil, code, sentence] of [
    ["credential.jwk", "missing", (path) => rmSync(path), 2, /credential\.jwk is missing: make it with `sallyport init`/],
    ["checkpoint.key", "a folder", folderInstead, 1, /checkpoint\.key cannot be read/],
    ["broker-group.key", "cut short", (path) => truncateSync(path, 20), 1, /broker-group\.key holds something else than 32 bytes; copy it/],
    ["agents-ca.key", "cut short", (path) => truncateSync(path, 20), 2, /agents-ca\.key and agents-ca\.crt in .*: restore both/],
    ["services-ca.crt", "cut short", (path) => truncateSync(path, 20), 1, /services-ca\.crt holds no certificate as PEM; copy it/],
  ] as [string, string, (path: string) => void, number, RegExp][]) {
    it(`${file} that is ${what}: which file it is, and what to do`, async () => {
      const path = join(folder, "data", "keys", file);
      const whole = readFileSync(path);
      try {
        spoil(path);
        await refuses(code, sentence);
      } finally {
        rmSync(path, { recursive: true, force: true });
        writeFileSync(path, whole, { mode: 0o600 });
      }
    });
  }

  it("benign twin: with everything in its place it starts, and drains when it is told to end", async () => {
    const service = new Service(["start", "-c", config], { ops: listen.ops as string, logFile: join(folder, "log") });
    await service.start();
    await service.stop();
  });
});
