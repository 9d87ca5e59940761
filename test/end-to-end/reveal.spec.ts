import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Action, Agent, ProofMaker } from "@sallyport/sdk";
import { mustRun } from "../demo/process.ts";
import { settledEvidence } from "../faults/evidence-log.ts";
import { embeddedSite, type orders, type Site } from "../faults/site.ts";
import { eventually, refusalOf } from "../faults/told.ts";

const secret = "prod/orders/read";
const entry = (allowed: Action[]): typeof orders => ({ entries: [{ actions: allowed, secrets: ["prod/orders/*"], targets: ["*"] }] });
const actions: Action[] = [Action.LIST, Action.READ, Action.USE, Action.REVEAL];
const ceiling = entry(actions);

describe("a sealed reveal", () => {
  let site: Site;
  let agent: Agent;
  before(async function () {
    this.timeout(120_000);
    site = await embeddedSite();
    agent = await site.agent("release", ceiling);
  });
  after(() => site?.stop());

  const rawKey = () => Buffer.from(generateKeyPairSync("x25519").publicKey.export({ format: "jwk" }).x as string, "base64url");
  const reveal = (recipientKey: Uint8Array) => agent.session.broker.reveal({ secret, recipientKey });

  it("is off: no policy of the installation permits it, and the refusal is on record", async () => {
    assert.equal((await refusalOf(() => agent.reveal(secret))).reason, "DENIED_BY_POLICY");
    const records = (await settledEvidence(site.log)).filter(({ metadata }) => metadata.event_code === "secret.reveal");
    assert.ok(records.length === 1 && records.every((record) => (record as unknown as { severity: string }).severity === "High"));
  });

  describe("where a policy permits it", () => {
    before(async () => {
      const policy = `@id("release-reveals")\npermit (principal, action == Action::"reveal", resource == Secret::"${secret}");\n`;
      const folder = /policies: "?([^"\n]+)/.exec(readFileSync(site.configFile, "utf8"))?.[1] ?? "";
      writeFileSync(join(folder, "reveal.cedar"), policy);
      // A key that is none tells when the policy has come through, and reveals nothing.
      await eventually("INVALID_REQUEST", () => reveal(Buffer.alloc(5)));
    });

    it("is refused to a key that is none, and to the key that proves", async () => {
      for (const key of [Buffer.alloc(0), Buffer.alloc(31, 1), Buffer.alloc(33, 1), Buffer.alloc(32)])
        assert.equal((await refusalOf(() => reveal(key))).reason, "INVALID_REQUEST");
      const key = ProofMaker.generate("EdDSA");
      const parent = await site.agent("parent", entry([...actions, Action.DELEGATE]));
      const { handover } = await parent.delegate({ name: "child", ceiling, thumbprint: key.thumbprint });
      const child = await Agent.fromTicket(handover, key);
      const own = Buffer.from((key.publicJwk as { x: string }).x, "base64url");
      const refusal = await refusalOf(() => child.session.broker.reveal({ secret, recipientKey: own }));
      assert.match(refusal.message, /The key that proves is for proofs alone/);
      assert.equal((await child.reveal(secret)).fields.size, 1);
      child.close();
    });

    it("comes once, to that agent's own key, for its own session", async function () {
      this.timeout(60_000);
      const { version, fields } = await agent.reveal(secret);
      assert.equal(Buffer.from(fields.get("token") ?? []).toString(), site.canary);
      assert.equal(version, "1");
      assert.match((await refusalOf(() => agent.reveal(secret))).message, /revealed once/);
      assert.equal((await refusalOf(() => reveal(rawKey()))).reason, "DENIED_BY_POLICY");
      // Another agent of the same workload has a right of its own.
      const other = await site.agent("other", ceiling);
      const sealed = await other.session.broker.reveal({ secret, recipientKey: rawKey() });
      assert.ok((sealed.fields.token?.ciphertext.length ?? 0) > site.canary.length);
      assert.ok(
        !JSON.stringify([...(sealed.fields.token?.ciphertext ?? [])]).includes(JSON.stringify([...Buffer.from(site.canary)]).slice(1, -1)),
      );
      // One without the right in its ceiling has none, whatever the policy says.
      const without = await site.agent("without");
      assert.equal((await refusalOf(() => without.reveal(secret))).reason, "DENIED_BY_POLICY");
    });

    it("is on record, loudly, and the value is in no file of the installation", async function () {
      this.timeout(60_000);
      const records = (await settledEvidence(site.log)).filter(({ metadata }) => metadata.event_code === "secret.reveal");
      const revealed = records.filter((record) => JSON.stringify(record).includes('"revealed_fields":["token"]'));
      assert.equal(revealed.length, 3);
      assert.match(readFileSync(site.services.broker.logFile, "utf8"), /a secret was revealed/);
      await mustRun(["audit", "verify", "--log", site.log]);
      for (const entry of readdirSync(site.folder, { recursive: true, withFileTypes: true }))
        if (entry.isFile()) assert.ok(!readFileSync(join(entry.parentPath, entry.name), "latin1").includes(site.canary), entry.name);
    });
  });
});
