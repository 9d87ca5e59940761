import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Action, LinkKind, Refusal } from "@sallyport/contracts";
import { decodeJwt } from "jose";
import { FakeInstallation, sallyport } from "../command-line.fixture.ts";
import { BrowserCommand } from "../sign-in/browser.fixture.ts";
import { LoginIssuer } from "../sign-in/login-issuer.fixture.ts";

const ceiling = { entries: [{ actions: [Action.USE], secrets: ["prod/*"], targets: ["*"] }] };

describe("a remembered sign-in, much later", () => {
  let fake: FakeInstallation;
  let issuer: LoginIssuer;
  let browser: BrowserCommand;
  let sessions: number;
  const original = { PATH: process.env.PATH, DISPLAY: process.env.DISPLAY };

  before(async () => {
    [fake, issuer] = await Promise.all([FakeInstallation.start(), LoginIssuer.start()]);
    browser = new BrowserCommand(join(fake.home, "browser"));
    Object.assign(process.env, browser.env);
  });
  beforeEach(() => {
    sessions = 0;
    fake.asked.length = 0;
    fake.answers.exchange = () => ({ credential: credential(`exchanged-${++sessions}`, sessions === 1 ? -1_000 : 600_000) });
    fake.answers.whoAmI = () => ({ chain: chainOf("s".repeat(22)), ceiling, expiresAt: timestampFromMs(Date.now()), thumbprint: "t" });
  });
  after(async () => {
    for (const [name, value] of Object.entries(original)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await Promise.all([fake.stop(), issuer.stop()]);
  });

  const chainOf = (sessionId: string) => ({ links: [{ id: "corp/alice", kind: LinkKind.PERSON, sessionId }], groups: [] });
  const credential = (token: string, lifeMs: number) => ({
    token,
    sessionId: "s".repeat(22),
    chain: chainOf("s".repeat(22)),
    ceiling,
    expiresAt: timestampFromMs(Date.now() + lifeMs),
  });
  const refusing = (reason: "CREDENTIAL_EXPIRED" | "CREDENTIAL_REVOKED") => () => {
    throw new Refusal(reason, "No more.");
  };
  const stored = () => JSON.parse(readFileSync(join(fake.home, "later.json"), "utf8"));
  const asked = (name: string) => fake.asked.filter(([method]) => method === name).map(([, request]) => request as Record<string, unknown>);

  /** With a credential that has expired by now. */
  const signIn = async (...scopes: string[]) => {
    const args = scopes.flatMap((scope) => ["--scope", scope]);
    const where = ["--issuer", issuer.url, "--client-id", issuer.clientId, ...fake.where];
    const limits = ["--action", "use", "--secret", "prod/*", "--target", "*"];
    const signing = sallyport(["login", "--browser", "--profile", "later", ...args, ...where, ...limits]);
    await fetch(await issuer.browse(await browser.opened()));
    const { code, stderr } = await signing;
    assert.equal(code, 0, stderr);
  };
  const whoami = () => sallyport(["whoami", "--profile", "later"]);

  it("is renewed by its key, though its credential has expired", async () => {
    await signIn();
    fake.answers.renew = () => ({ credential: credential("renewed", 600_000) });
    assert.equal((await whoami()).code, 0);
    assert.equal(stored().credential.token, "renewed");
    assert.equal(asked("exchange").length, 1);
  });

  it("begins anew at the issuer where its session is over, for no more than before, with a new key", async () => {
    await signIn("offline_access");
    const before = stored();
    fake.answers.renew = refusing("CREDENTIAL_EXPIRED");
    const { code, stderr } = await whoami();
    assert.equal(code, 0, stderr);
    const [first, second] = asked("exchange");
    assert.equal(decodeJwt(second?.subjectToken as string).sub, "alice");
    assert.notEqual(second?.subjectToken, first?.subjectToken);
    assert.deepEqual(JSON.stringify(second?.ceiling), JSON.stringify(first?.ceiling));
    assert.equal(stored().credential.token, "exchanged-2");
    assert.notEqual(stored().signIn.refreshToken, before.signIn.refreshToken);
    assert.notEqual(stored().privateKey, before.privateKey);
  });

  it("is refreshed once by commands that find it over at the same moment", async () => {
    await signIn("offline_access");
    fake.answers.renew = refusing("CREDENTIAL_EXPIRED");
    const { withProfile } = await import("./with-profile.ts");
    const tokens = await Promise.all([1, 2, 3].map(() => withProfile("later", async (session) => session.credential.token)));
    assert.deepEqual(tokens, ["exchanged-2", "exchanged-2", "exchanged-2"]);
    assert.equal(asked("exchange").length, 2);
  });

  it("stays ended where somebody ended it, whatever the issuer would give", async () => {
    await signIn("offline_access");
    fake.answers.renew = refusing("CREDENTIAL_REVOKED");
    assert.equal((await whoami()).code, 6);
    assert.equal(asked("exchange").length, 1);
  });

  it("is given up at the issuer, too, by logout", async () => {
    await signIn("offline_access");
    const { signIn: remembered } = stored();
    const { code, stderr } = await sallyport(["logout", "--profile", "later"]);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /did not end/);
    const { refreshAt } = await import("../sign-in/refresh.ts");
    await assert.rejects(refreshAt(remembered, remembered.refreshToken), { reason: "UNAUTHENTICATED" });
  });

  it("says to sign in again where the issuer gave nothing to refresh, or takes it no more", async () => {
    await signIn();
    fake.answers.renew = refusing("CREDENTIAL_EXPIRED");
    const ran = await whoami();
    assert.equal(ran.code, 6);
    assert.match(ran.stderr, /ran out; sign in again: sallyport login/);
    sessions = 0;
    await signIn("offline_access");
    const { refreshAt } = await import("../sign-in/refresh.ts");
    const { signIn: remembered } = stored();
    await refreshAt(remembered, remembered.refreshToken);
    const spent = await whoami();
    assert.equal(spent.code, 6, spent.stderr);
    assert.ok(!spent.stderr.includes(remembered.refreshToken));
  });
});
