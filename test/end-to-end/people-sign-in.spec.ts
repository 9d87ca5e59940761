import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { BrowserCommand } from "../../packages/cli/src/sign-in/browser.fixture.ts";
import { LoginIssuer } from "../../packages/cli/src/sign-in/login-issuer.fixture.ts";
import { loopback } from "../demo/configuration.ts";
import { cli, mustRun, plain, sallyport } from "../demo/process.ts";
import { embeddedSite, type Site } from "../faults/site.ts";

describe("a person signs in at the company's issuer", () => {
  let site: Site;
  let issuer: LoginIssuer;
  let browser: BrowserCommand;
  let env: Record<string, string>;
  before(async function () {
    this.timeout(120_000);
    issuer = await LoginIssuer.start();
    site = await embeddedSite({
      configure: (config) => {
        const { url, clientId } = issuer;
        config.trust.oidc.push({
          name: "staff",
          issuer: url,
          audience: clientId,
          algorithms: ["ES256"],
          groups: { claim: "groups" },
          network: loopback,
        });
      },
    });
    browser = new BrowserCommand(join(site.folder, "browser"));
    env = { SALLYPORT_HOME: join(site.folder, "people"), SSH_CONNECTION: "", ...browser.env };
  });
  after(async () => {
    await site?.stop();
    await issuer?.stop();
  });

  const profile = (name: string) => JSON.parse(readFileSync(join(env.SALLYPORT_HOME ?? "", `${name}.json`), "utf8"));

  it("by a browser, and is known by who they are there", async () => {
    const signingIn = mustRun(
      ["login", "--browser", "--provider", "staff", "--scope", "offline_access", "-c", site.configFile, "-o", "json"],
      { env },
    );
    await fetch(await issuer.browse(await browser.opened()));
    const me = JSON.parse(await signingIn);
    assert.deepEqual([me.id, me.groups], ["staff/alice", ["staff/release-team"]]);
    assert.equal(JSON.parse(await mustRun(["whoami", "-o", "json"], { env })).id, "staff/alice");
    assert.equal(statSync(join(env.SALLYPORT_HOME ?? "", "default.json")).mode & 0o777, 0o600);
    const { signIn } = profile("default");
    assert.deepEqual([signIn.issuer, signIn.clientId, signIn.scopes], [issuer.url, "sallyport", ["openid", "offline_access"]]);
    assert.equal(typeof signIn.refreshToken, "string");
  });

  it("again without saying where, as the profile remembers it", async () => {
    const signingIn = sallyport(["login", "--browser", "-o", "json"], { env });
    await fetch(await issuer.browse(await browser.opened()));
    const { code, stdout, stderr } = await signingIn;
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).id, "staff/alice");
    for (const secret of [profile("default").signIn.refreshToken, profile("default").credential.token]) {
      assert.ok(!stdout.includes(secret) && !stderr.includes(secret));
    }
  });

  it("by a code on another device", async function () {
    this.timeout(30_000);
    const args = [
      "login",
      "--device",
      "--profile",
      "device",
      "--issuer",
      issuer.url,
      "--client-id",
      issuer.clientId,
      "-c",
      site.configFile,
    ];
    const child = spawn(process.execPath, [cli, ...args, "-o", "json"], {
      env: { ...process.env, ...plain, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    const ended = new Promise((resolve) => child.on("close", resolve));
    for (const end = Date.now() + 15_000; !/or open (\S+)\n/.test(stderr) && Date.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(stderr, /^Open http:\S+ and enter the code [A-Z]{4}-[A-Z]{4}$/m);
    await issuer.confirmDevice(/or open (\S+)\n/.exec(stderr)?.[1] ?? "");
    assert.equal(await ended, 0, stderr);
    assert.equal(JSON.parse(stdout).id, "staff/alice");
  });

  it("is asked which issuer where there are several, and told what there is", async () => {
    const { code, stderr } = await sallyport(["login", "--profile", "new", "-c", site.configFile], { env });
    assert.equal(code, 2);
    assert.match(stderr, /--provider: the issuers for people here are \S+, staff/);
  });
});
