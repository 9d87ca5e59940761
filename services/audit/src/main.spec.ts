import assert from "node:assert/strict";
import { join } from "node:path";
import { JournalService, Refusal } from "@sallyport/contracts";
import { placeOf, verifyLog } from "@sallyport/evidence";
import { EvidenceWriter, logFolder, ship } from "@sallyport/journal";
import { createLogger, type Host, initKeys, parseConfig, type RunningProcess, runProcess, type ServiceRole } from "@sallyport/service";
import { clock, openJournal, scratchFolder, until, useOf } from "./audit.fixture.ts";
import { start } from "./main.ts";

const folder = scratchFolder();
const version = "0.1.0";
const log = createLogger({ level: "silent" } as never);

describe("the audit service, alone in its process", () => {
  const running: RunningProcess[] = [];
  afterEach(async () => {
    for (const each of running.splice(0)) await each.stop();
  });

  const anywhere = "{ agents: 127.0.0.1:0, agentsMtls: 127.0.0.1:0, peers: 127.0.0.1:0, edge: 127.0.0.1:0, ops: 127.0.0.1:0 }";
  const configWith = (audit: string) =>
    parseConfig(
      `version: 1
trustDomain: test.internal
dataDir: ${folder()}
services:
  audit: { listen: ${anywhere}, peers: { authn: "127.0.0.1:1", pdp: "127.0.0.1:1" } }
  broker: { listen: ${anywhere}, peers: { audit: "${audit}" } }
  authn: { listen: ${anywhere}, peers: { audit: "${audit}" } }
`,
      "sallyport.yaml",
    );

  async function run(role: ServiceRole, audit: string, starter: (host: Host) => ReturnType<typeof start>) {
    const each = await runProcess({ config: configWith(audit), roles: [role], load: async () => ({ start: starter }), version, log });
    running.push(each);
    return each;
  }

  /** What another service's process would be given. */
  async function hostOf(role: ServiceRole, audit: string): Promise<Host> {
    const { promise, resolve } = Promise.withResolvers<Host>();
    await run(role, audit, async (host) => {
      resolve(host);
      return { name: role, ready: () => ({ ok: true }), stop: async () => {} };
    });
    return promise;
  }

  it("takes other services' journals by mTLS, puts their keys on record, refuses one that is not the caller's, and proves it all", async function () {
    this.timeout(60_000);
    await initKeys({ dataDir: folder(), trustDomain: "test.internal" });
    const audit = await run("audit", "127.0.0.1:1", start);
    assert.deepEqual(audit.health(), { audit: { ok: true } });
    const peers = audit.addresses.peers as { port: number };
    const address = `127.0.0.1:${peers.port}`;
    const broker = await hostOf("broker", address);
    const client = broker.peers.client("audit", JournalService);
    const writer = await EvidenceWriter.open({
      dir: join(folder(), "broker", "journal"),
      service: "broker",
      version,
      clock,
      mode: "strict",
      client,
    });
    const intents = await Promise.all(Array.from({ length: 30 }, () => writer.intent(useOf("deploy"))));
    await Promise.all(intents.map((intent) => intent.outcome(useOf("deploy"))));
    await until(() => writer.shipping?.loggedSequence === writer.journal.last, "logged");

    const authn = await hostOf("authn", address);
    const stolen = await openJournal(folder(), "broker");
    const warned: unknown[] = [];
    const logger = { info: () => {}, debug: () => {}, warn: (facts: object) => void warned.push((facts as { err: unknown }).err) };
    const shipping = ship(stolen, authn.peers.client("audit", JournalService), { log: logger });
    await until(() => warned.length > 0, "refused");
    assert.ok(warned[0] instanceof Refusal && warned[0].reason === "DENIED_BY_POLICY");
    await shipping.stop();
    await stolen.close();
    await writer.stop();
    for (const each of running.splice(0).reverse()) await each.stop();

    const files = logFolder(join(folder(), "audit", "log"));
    const verification = verifyLog(files);
    assert.equal(verification.kind, "intact", verification.sentence);
    const lines = Buffer.concat([...files.records(0)])
      .toString("utf8")
      .trimEnd()
      .split("\n");
    assert.equal(lines.filter((line) => placeOf(Buffer.from(line))?.journal === writer.journal.id).length, 60);
    const boots = lines.map((line) => JSON.parse(line)).filter(({ metadata }) => metadata.event_code === "journal.boot");
    assert.ok(boots.some(({ entity }) => entity.uid === writer.journal.id));
  });
});
