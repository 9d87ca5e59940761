import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { KeyAlgorithm } from "@sallyport/contracts";
import type { Agent, Person } from "@sallyport/sdk";
import { mustRun, sallyport } from "../demo/process.ts";
import { settledEvidence } from "../faults/evidence-log.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { refusalOf } from "../faults/told.ts";

const secret = "prod/orders/read";

describe("a secret that the broker makes up", () => {
  let site: Site;
  let agent: Agent;
  let keeper: Person;
  let target: Server;
  /** What came to the target: the only place outside the store where a value may be. */
  const received: string[] = [];
  const home = () => ({ env: { SALLYPORT_HOME: join(site.folder, "home") } });
  const answer = async () => (await agent.use({ target: "echo", path: "/v1/echo" })).text();

  before(async function () {
    this.timeout(120_000);
    target = createServer((request, reply) => {
      received.push(request.headers.authorization?.replace("Bearer ", "") ?? "");
      reply.end(`you sent ${request.headers.authorization}`);
    });
    await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
    site = await embeddedSite({
      configure: ({ targets, stores }) => {
        const baseUrl = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
        targets.echo = { ...targets["orders-read"], baseUrl, allow: [{ method: "GET", path: "/v1/echo" }] };
        for (const store of Object.values(stores) as { cacheSeconds: number }[]) store.cacheSeconds = 60;
      },
    });
    agent = await site.agent();
    keeper = await site.person("kim", ["secret-keepers"]);
    const input = await site.idToken("kim", ["secret-keepers"]);
    await mustRun(["login", "--id-token-stdin", "--profile", "kim", "-c", site.configFile], { input, ...home() });
  });
  after(async () => {
    target?.close();
    await site?.stop();
  });

  it("is used at once, cache or not, is masked like any other, and is nowhere but in the store and at the target", async function () {
    this.timeout(60_000);
    await answer();
    const before = await keeper.session.broker.write({ secret, fields: { token: Buffer.from(`${site.canary}-by-hand`) } });
    const made = await sallyport(
      ["secrets", "write", secret, "--generate", "token=text:40", "--after-version", before.version, "--profile", "kim", "-o", "json"],
      home(),
    );
    assert.equal(made.code, 0, made.stderr);
    assert.deepEqual(JSON.parse(made.stdout), { secret, version: String(Number(before.version) + 1) });
    assert.equal(await answer(), "you sent Bearer [sallyport:prod/orders/read#token]");
    const value = received.at(-1) as string;
    assert.match(value, /^[A-Za-z0-9]{40}$/);
    const stale = await sallyport(
      ["secrets", "write", secret, "--generate", "token", "--after-version", before.version, "--profile", "kim"],
      home(),
    );
    assert.equal(stale.code, 2);
    const records = await settledEvidence(site.log);
    assert.ok(records.some((record) => JSON.stringify(record).includes('"generated_fields":1')));
    for (const text of [made.stdout, made.stderr, stale.stdout, stale.stderr, ...everythingIn(site.folder)])
      assert.ok(!text.includes(value));
  });

  it("is a key pair whose public half is told", async () => {
    const { publicKeys } = await keeper.session.broker.write({
      secret,
      generate: { token: { kind: { case: "keyPair", value: { algorithm: KeyAlgorithm.ED25519 } } } },
    });
    assert.equal(createPublicKey(publicKeys.token as string).asymmetricKeyType, "ed25519");
    const shown = await sallyport(["secrets", "write", secret, "--generate", "token=p256", "--profile", "kim"], home());
    assert.match(shown.stdout, /BEGIN PUBLIC KEY/);
  });

  it("is refused where it could be guessed, is given as well, or the writer may not write", async () => {
    const text = (length: number) => ({ token: { kind: { case: "text" as const, value: { length } } } });
    const { broker } = keeper.session;
    for (const call of [
      () => broker.write({ secret, generate: text(4) }),
      () => broker.write({ secret, generate: { other: text(32).token } }),
      () => broker.write({ secret, generate: { token: {} } }),
      () => broker.write({ secret, generate: text(32), fields: { token: Buffer.from(`${site.canary}-2`) } }),
      () => broker.write({ secret }),
    ])
      assert.equal((await refusalOf(call)).reason, "INVALID_REQUEST");
    assert.equal((await refusalOf(() => agent.session.broker.write({ secret, generate: text(32) }))).reason, "DENIED_BY_POLICY");
    for (const wrong of ["token=rot13", "token=text:4:4", "=text", "token=text:99999"]) {
      const ran = await sallyport(["secrets", "write", secret, "--generate", wrong, "--profile", "kim"], home());
      assert.equal(ran.code, 2, wrong);
    }
  });
});

/** Every file of the installation, its log and state included; the store's own file is encrypted. */
function everythingIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
}
