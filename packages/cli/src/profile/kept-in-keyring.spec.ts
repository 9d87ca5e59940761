import assert from "node:assert/strict";
import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { LinkKind } from "@sallyport/contracts";
import { sallyport } from "../../../../test/demo/process.ts";
import { describeWithTools, tools } from "../../../../test/support/it-with.ts";
import { KeyringSession } from "../../../../test/support/keyring-session.ts";
import { FakeInstallation } from "../command-line.fixture.ts";

/** The command line as a process of its own: the library that speaks to the keyring looks for it once in a process. */
describe("where a sign-in is kept", function () {
  this.timeout(60_000);
  let fake: FakeInstallation;
  const chain = { links: [{ id: "corp/alice", kind: LinkKind.PERSON, sessionId: "s".repeat(22) }], groups: [] };
  const credential = (token: string, lifeMs: number) => ({
    credential: { token, sessionId: "s".repeat(22), chain, expiresAt: timestampFromMs(Date.now() + lifeMs) },
  });

  before(async () => {
    fake = await FakeInstallation.start();
    fake.answers.exchange = () => credential("the.first.token", -1_000);
    fake.answers.renew = () => credential("the.renewed.token", 600_000);
    fake.answers.whoAmI = () => ({ chain, thumbprint: "t" });
  });
  beforeEach(() => {
    fake.asked.length = 0;
  });
  after(() => fake.stop());

  /** @param bus of the desktop where the person sits; undefined where there is none */
  const run = (bus: string | undefined, args: readonly string[], input = "") => {
    const session = { DBUS_SESSION_BUS_ADDRESS: bus, XDG_RUNTIME_DIR: undefined };
    return sallyport(args, { input, env: { ...session, SALLYPORT_HOME: fake.home, SALLYPORT_KEEP: undefined } });
  };
  const login = (bus: string | undefined, profile: string, ...more: string[]) =>
    run(bus, ["login", "--id-token-stdin", "--profile", profile, ...fake.where, ...more], "id.to.ken\n");
  const whoami = (bus: string | undefined, profile: string) => run(bus, ["whoami", "--profile", profile, "-o", "json"]);
  const fileOf = (profile: string) => join(fake.home, `${profile}.json`);
  const read = (profile: string) => readFileSync(fileOf(profile), "utf8");
  const assertClear = (profile: string) => {
    assert.match(JSON.parse(read(profile)).privateKey, /PRIVATE KEY/);
    assert.equal(statSync(fileOf(profile)).mode & 0o777, 0o600);
  };

  it("is a file of mode 0600 where there is no keyring, and login says so and why", async function () {
    if (process.platform !== "linux") this.skip();
    const { code, stderr } = await login(undefined, "headless");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /headless\.json, mode 0600: there is no keyring to keep it in: .*no D-Bus session/);
    assertClear("headless");
    const dead = await login("unix:path=/nowhere/bus", "dead");
    assert.equal(dead.code, 0, dead.stderr);
    assert.match(dead.stderr, /mode 0600: there is no keyring to keep it in: it does not answer/);
    assertClear("dead");
  });

  it("is nothing at all where a keyring is asked for and there is none", async function () {
    if (process.platform !== "linux") this.skip();
    const { code, stderr } = await login(undefined, "strict", "--keep", "keyring");
    assert.equal(code, 2, stderr);
    assert.match(stderr, /INVALID_REQUEST: There is no keyring to keep it in/);
    assert.throws(() => read("strict"), { code: "ENOENT" });
    assert.ok(!fake.asked.some(([method]) => method === "exchange"), "no session begins");
  });

  describeWithTools([tools.keyring], "with a real keyring", () => {
    let desktop: KeyringSession;
    before(async () => {
      desktop = await KeyringSession.start();
    });
    after(() => desktop?.stop());

    it("is a file that is sealed by a key in it, also once renewed; without it, or after logout, that is worth nothing", async () => {
      const { code, stderr } = await login(desktop.address, "sealed", "--keep", "keyring");
      assert.equal(code, 0, stderr);
      assert.match(stderr, /sealed\.json, sealed by a key in the system's keyring\.$/m);
      const first = read("sealed");
      const me = await whoami(desktop.address, "sealed");
      assert.equal(me.code, 0, me.stderr);
      assert.ok(fake.asked.some(([method]) => method === "renew"));
      assert.notEqual(read("sealed"), first, "the renewed credential is kept");
      for (const text of [first, read("sealed")]) {
        assert.deepEqual(Object.keys(JSON.parse(text)), ["sealed"]);
        assert.doesNotMatch(Buffer.from(JSON.parse(text).sealed, "base64url").toString("latin1"), /PRIVATE KEY|token|corp\/alice/);
      }

      copyFileSync(fileOf("sealed"), fileOf("moved"));
      const moved = await whoami(desktop.address, "moved");
      assert.equal(moved.code, 4, moved.stderr);
      assert.match(moved.stderr, /sealed by a key in the system's keyring, which cannot be had\. The keyring has no key for it\./);
      const away = await whoami(undefined, "sealed");
      assert.equal(away.code, 4, away.stderr);
      assert.match(away.stderr, /Unlock the keyring, or sign in again: sallyport login --profile sealed/);
      assert.equal((await whoami(desktop.address, "sealed")).code, 0, "benign twin: where it was");

      const out = await run(desktop.address, ["logout", "--profile", "sealed"]);
      assert.equal(out.code, 0, out.stderr);
      assert.doesNotMatch(out.stderr, /still/);
      writeFileSync(fileOf("sealed"), first);
      assert.equal((await whoami(desktop.address, "sealed")).code, 4, "a copy from before");
    });

    it("is the keyring unless said, and a file where the person says so", async () => {
      assert.match((await login(desktop.address, "unsaid")).stderr, /sealed by a key in the system's keyring/);
      const { code, stderr } = await login(desktop.address, "unsaid", "--keep", "file");
      assert.equal(code, 0, stderr);
      assert.match(stderr, /mode 0600: as you said/);
      assertClear("unsaid");
      assert.equal((await whoami(undefined, "unsaid")).code, 0);
    });
  });
});
