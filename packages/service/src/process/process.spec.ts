import assert from "node:assert/strict";
import { chmodSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EvidenceService, TokenService } from "@sallyport/contracts";
import type { Handlers } from "../handler.ts";
import type { Starter } from "../host.ts";
import { initKeys } from "../keys/init-keys.ts";
import { refused, TestInstallation } from "./process.fixture.ts";
import { runProcess } from "./run-process.ts";

const tokens = (whoAmI: Handlers<typeof TokenService>["whoAmI"]): Handlers<typeof TokenService> => {
  const unused = async () => ({});
  return { exchange: unused, renew: unused, whoAmI };
};

describe("a process", () => {
  let installation: TestInstallation;
  beforeEach(async () => {
    installation = await TestInstallation.create();
  });
  afterEach(() => installation.end());

  it("opens the doors that are served, and tells operators how it is", async () => {
    const running = await installation.run({
      authn: ({ listeners }) =>
        void listeners.agents.serve(
          TokenService,
          tokens(async () => ({})),
        ),
    });
    assert.deepEqual(Object.keys(running.addresses).sort(), ["agents", "ops"]);
    await installation.agent(running, TokenService).whoAmI({});
    const ops = `http://127.0.0.1:${running.addresses.ops?.port}`;
    assert.equal((await fetch(`${ops}/healthz`)).status, 200);
    assert.equal((await fetch(`${ops}/readyz`)).status, 200);
    const metrics = await (await fetch(`${ops}/metrics`)).text();
    assert.match(
      metrics,
      /rpc_server_call_duration(_seconds)?_count\{[^}]*rpc_method="sallyport\.authn\.v1\.TokenService\/WhoAmI"[^}]*\} 1/,
    );
    assert.equal((await fetch(`${ops}/other`)).status, 404);
  });

  it("is not ready while a service is not, and says why", async () => {
    const start = async () => ({ name: "x", ready: () => ({ ok: false as const, why: "no lease" }), stop: async () => {} });
    const running = await runProcess({ config: installation.config(), roles: ["authn"], load: async () => ({ start }), version: "0" });
    const response = await fetch(`http://127.0.0.1:${running.addresses.ops?.port}/readyz`);
    assert.equal(response.status, 503);
    assert.match(await response.text(), /no lease/);
    await running.stop();
  });

  it("drains: finishes what runs, takes nothing new, ends endless streams at once, then flushes", async () => {
    let finish = () => {};
    let begun = () => {};
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const stopped: string[] = [];
    const running = await runProcess({
      config: installation.config(),
      roles: ["authn", "pdp", "broker", "audit"],
      version: "0",
      load: async (role) => {
        const start: Starter = async ({ listeners }) => {
          if (role === "authn") {
            const whoAmI = async () => {
              begun();
              await new Promise<void>((resolve) => (finish = resolve));
              return { thumbprint: "done" };
            };
            listeners.agents.serve(TokenService, tokens(whoAmI));
          }
          if (role === "audit") {
            const unused = async () => ({});
            const forever = async function* () {
              yield {};
              await new Promise(() => {});
            };
            listeners.agents.serve(EvidenceService, { query: forever, tail: forever, getCheckpoint: unused }, { endless: ["tail"] });
          }
          return { name: role, ready: () => ({ ok: true }), stop: async () => void stopped.push(role) };
        };
        return { start };
      },
    });
    const agent = installation.agent(running, TokenService);
    const answer = agent.whoAmI({});
    await hasBegun;
    const tail = installation.agent(running, EvidenceService).tail({})[Symbol.asyncIterator]();
    await tail.next();
    const stop = running.stop();
    assert.equal((await refused(tail.next())).reason, "CANCELLED");
    assert.equal(stopped.length, 0);
    assert.notEqual((await refused(installation.agent(running, TokenService).whoAmI({}, { timeoutMs: 1000 }))).reason, "INTERNAL");
    finish();
    assert.equal((await answer).thumbprint, "done");
    await stop;
    assert.deepEqual(stopped, ["broker", "authn", "pdp", "audit"]);
  });

  it("names the port that is in use and the setting that changes it", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await sleep(20);
    const port = (squatter.address() as { port: number }).port;
    const serve = {
      authn: ({ listeners }: Parameters<Starter>[0]) =>
        void listeners.agents.serve(
          TokenService,
          tokens(async () => ({})),
        ),
    };
    for (const door of ["agents", "ops"]) {
      const config = installation.config();
      const listen = { ...config.listen, [door]: { host: "127.0.0.1", port } };
      await assert.rejects(
        installation.run(serve, { ...config, listen }),
        new RegExp(`127\\.0\\.0\\.1:${port}: the port is in use.*listen\\.${door}`),
      );
    }
    squatter.close();
  });

  it("says which key file is missing, damaged, empty, or another's", async () => {
    const serve = {
      authn: ({ listeners }: Parameters<Starter>[0]) =>
        void listeners.agents.serve(
          TokenService,
          tokens(async () => ({})),
        ),
    };
    const key = join(installation.dataDir, "keys", "listener.key");
    const good = installation.file("listener.key");
    const cases: [string, () => void, RegExp][] = [
      ["empty", () => writeFileSync(key, ""), /listener\.key is empty/],
      ["damaged", () => writeFileSync(key, "not a key"), /listener\.key or listener\.crt .* damaged/],
      ["another's", () => writeFileSync(key, installation.file("pdp.key")), /do not belong together/],
      ["missing", () => rmSync(key), /listener\.key does not exist; run sallyport init/],
    ];
    for (const [, spoil, expected] of cases) {
      spoil();
      await assert.rejects(installation.run(serve), expected);
    }
    writeFileSync(key, good);
    if (process.getuid?.() !== 0) {
      chmodSync(key, 0);
      await assert.rejects(installation.run(serve), /may not be read/);
    }
  });

  it("stops what had started when one service cannot start", async () => {
    await assert.rejects(
      installation.run({
        authn: () => {
          throw Object.assign(new Error("x"), { code: "ENOSPC", path: "/data/x" });
        },
      }),
      /Cannot start: \/data\/x cannot be written: the disk is full/,
    );
  });

  it("makes keys that only their owner can read, and never replaces one", async () => {
    const before = installation.file("credential.jwk");
    assert.deepEqual(await initKeys({ dataDir: installation.dataDir, trustDomain: "test.internal" }), []);
    assert.deepEqual(installation.file("credential.jwk"), before);
    assert.equal(installation.file("broker-group.key").length, 32);
    for (const name of [
      "services-ca.key",
      "broker.key",
      "checkpoint.key",
      "checkpoint.pub",
      "file-store.key",
      "agents-ca.key",
      "listener.key",
      "authn.key",
    ]) {
      assert.equal(statSync(join(installation.dataDir, "keys", name)).mode & 0o777, 0o600, name);
    }
  });
});
