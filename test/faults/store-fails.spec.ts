import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Agent, Person } from "@sallyport/sdk";
import { loopback } from "../demo/configuration.ts";
import { describeWith, openbao, withOptions } from "../support/servers.ts";
import { type Evidence, evidenceOnce, settledEvidence, terminalEvents } from "./evidence-log.ts";
import { embeddedSite, type Site } from "./site.ts";
import { eventually, read, refusalOf, told } from "./told.ts";
import { type Failing, startVaultStandIn, type VaultStandIn } from "./vault-stand-in.ts";

const canary = "sk_live_store_4711_QWER";
/** What one answer of a vault may take, and what else a use needs. */
const boundMs = 5_000 + 2_000;

const failures: [string, Failing][] = [
  ["answers 403", (answer) => answer.writeHead(403).end('{"errors":["permission denied"]}')],
  ["answers 404", (answer) => answer.writeHead(404).end('{"errors":[]}')],
  ["answers 500", (answer) => answer.writeHead(500).end(canary)],
  ["is sealed", (answer) => answer.writeHead(503).end('{"errors":["Vault is sealed"]}')],
  ["answers with a web page", (answer) => answer.end(`<html>${canary}</html>`)],
  ["answers with JSON of another shape", (answer) => answer.end(`{"data":{"data":"${canary}","metadata":{"version":1}}}`)],
  ["answers with half of its JSON", (answer) => answer.end(`{"data":{"data":{"token":"${canary}`)],
  ["answers with nothing", (answer) => answer.end()],
  ["answers with no end", (answer) => answer.end(`{"data":"${"x".repeat(3_000_000)}"}`)],
  ["redirects elsewhere", (answer) => answer.writeHead(307, { location: "http://169.254.169.254/" }).end()],
  ["breaks off", (_, request) => request.socket.resetAndDestroy()],
  ["says nothing for 30 s", () => undefined],
];

const record = (records: readonly Evidence[], marker: string) =>
  terminalEvents(records, marker).map(({ status_id, status_code, unmapped: { sallyport } }) => [
    status_id,
    status_code,
    sallyport.details?.used_at_target ?? false,
  ]);

describe("a store that fails", () => {
  let vault: VaultStandIn;
  let site: Site;
  let agent: Agent;
  let keeper: Person;
  before(async function () {
    this.timeout(120_000);
    vault = await startVaultStandIn();
    site = await embeddedSite({
      canary,
      configure: (config) => {
        const auth = { token: `file:${join(config.dataDir, "..", "vault", "store.key")}` };
        config.stores.vault = { kind: "openbao", address: vault.url, auth, network: loopback };
      },
    });
    agent = await site.agent();
    keeper = await site.person("kim", ["secret-keepers"]);
    await read(agent, "/v1/orders/before");
  });
  after(async () => {
    await site?.stop();
    await vault?.stop();
  });
  afterEach(() => {
    vault.failing = undefined;
  });

  /** An agent that goes away while the store is asked. */
  const givesUp = (marker: string) => {
    const use = () => agent.use({ target: "orders-read", path: `/v1/orders/${marker}`, signal: AbortSignal.timeout(300) });
    return told(() => use().then((answer) => answer.text()));
  };

  for (const [at, [what, failing]] of failures.entries()) {
    it(`${what}: STORE_UNAVAILABLE in bounded time, with a sentence that tells none of it, and nothing is done`, async () => {
      vault.failing = failing;
      const goneMeanwhile = givesUp(`given-up-${at}-end`);
      const [served, failed] = [site.api.served.length, vault.failed()];
      const began = performance.now();
      const [use, ...others] = await Promise.all([
        refusalOf(() => read(agent, `/v1/orders/store-${at}-end`)),
        refusalOf(() => agent.describe("prod/orders/read")),
        refusalOf(() => keeper.session.broker.write({ secret: "prod/orders/read", fields: { token: Buffer.from("another-4711") } })),
      ]);
      const took = performance.now() - began;
      assert.ok(took < boundMs, `${took} ms`);
      for (const refusal of [use, ...others]) {
        assert.equal(refusal.reason, "STORE_UNAVAILABLE", refusal.message);
        assert.ok(refusal.message.length > 20 && !refusal.message.includes(canary), refusal.message);
      }
      assert.notEqual(await goneMeanwhile, "done");
      assert.ok(vault.failed() > failed, "it was asked");
      assert.equal(site.api.served.length, served);
      vault.failing = undefined;
      await read(agent, `/v1/orders/store-${at}-serves-again`);
    });
  }

  it("each of these uses is on record with its intent and one outcome, the secret not used", async () => {
    const records = await settledEvidence(site.log);
    for (const [at, [what]] of failures.entries()) {
      assert.deepEqual(record(records, `store-${at}-end`), [[2, "STORE_UNAVAILABLE", false]], what);
      // Whoever went away leaves one event too, and the secret was not used.
      const [event, ...more] = record(records, `given-up-${at}-end`);
      assert.deepEqual([event?.[2], more.length], [false, 0], what);
    }
    assert.ok(!site.api.served.some(({ path }) => /-end$/.test(path)));
  });
});

describeWith("a vault of the operator's own", { bao: withOptions(openbao, { durable: true }) }, (servers) => {
  let site: Site;
  let agent: Agent;
  let tokenFile: string;
  let token: string;

  /** A token for the broker, where its configuration looks for it. */
  const giveToken = async () => {
    const made = (await servers.bao().api("POST", "auth/token/create", { policies: ["broker"], ttl: "1h" })) as {
      auth: { client_token: string };
    };
    token = made.auth.client_token;
    writeFileSync(tokenFile, token, { mode: 0o600 });
  };

  before(async function () {
    this.timeout(120_000);
    const policy =
      'path "secret/data/prod/*" { capabilities = ["create", "update", "read"] }\npath "secret/metadata/prod/*" { capabilities = ["read"] }';
    await servers.bao().api("PUT", "sys/policies/acl/broker", { policy });
    tokenFile = join(servers.bao().folder, "broker.token");
    await giveToken();
    site = await embeddedSite({
      configure: (config) => {
        const { address } = servers.bao();
        config.stores.vault = { kind: "openbao", address, auth: { token: `file:${tokenFile}` }, network: loopback };
      },
    });
    agent = await site.agent();
    await read(agent, "/v1/orders/before");
  });
  after(() => site?.stop());

  const unavailable = async (marker: string) => {
    const served = site.api.served.length;
    const began = performance.now();
    const refusal = await refusalOf(() => read(agent, `/v1/orders/${marker}`));
    assert.equal(refusal.reason, "STORE_UNAVAILABLE", refusal.message);
    assert.ok(performance.now() - began < boundMs);
    assert.ok(!refusal.message.includes(token));
    assert.equal(site.api.served.length, served);
    await evidenceOnce(site.log, marker, (records) => terminalEvents(records, marker).length > 0);
    assert.deepEqual(record(await settledEvidence(site.log), marker), [[2, "STORE_UNAVAILABLE", false]]);
  };

  it("that revoked the broker's token is unavailable, until the operator gives it another: no restart", async () => {
    await servers.bao().api("POST", "auth/token/revoke", { token });
    await unavailable("token-revoked");
    await giveToken();
    await eventually("done", () => read(agent, "/v1/orders/token-given"), 5_000);
  });

  it("that is sealed is unavailable, and serves again once it is unsealed", async () => {
    await servers.bao().api("PUT", "sys/seal");
    await unavailable("sealed");
    await servers.bao().restart();
    await eventually("done", () => read(agent, "/v1/orders/unsealed"), 10_000);
  });
});
