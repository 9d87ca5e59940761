import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { exchangeIdToken, ProofMaker } from "@sallyport/sdk";
import { BrowserCommand } from "../../packages/cli/src/sign-in/browser.fixture.ts";
import { Browser, hiddenFields, textOf } from "../attacks/identity/sign-in-stage.ts";
import { cli, mustRun, plain, sallyport } from "../demo/process.ts";
import { eventually } from "../faults/told.ts";
import { type Arrived, KeycloakPerson } from "../support/keycloak/person.ts";
import { password, rotateKey } from "../support/keycloak/realm.ts";
import { type KeycloakSite, keycloakSite } from "../support/keycloak/site.ts";
import { beginSignIn } from "../support/saml/begin-sign-in.ts";
import { describeWith, keycloak } from "../support/servers.ts";
import { inARealBrowser } from "./keycloak-in-a-browser.ts";

describeWith("people of a real Keycloak", { server: keycloak }, ({ server }) => {
  let site: KeycloakSite;
  let issuer: string;
  let browser: BrowserCommand;
  let env: Record<string, string>;
  before(async function () {
    this.timeout(120_000);
    site = await keycloakSite(server());
    issuer = site.issuer;
    browser = new BrowserCommand(join(site.folder, "browser"));
    env = { SALLYPORT_HOME: join(site.folder, "people"), SSH_CONNECTION: "", ...browser.env };
  });
  after(() => site?.stop());

  inARealBrowser(() => site);

  const alice = () => new KeycloakPerson(server().address, "alice");

  /** By the password grant, which only a test may use. */
  const idToken = async (username: string) => {
    const form = { grant_type: "password", client_id: "sallyport", username, password, scope: "openid" };
    const answer = await fetch(`${issuer}/protocol/openid-connect/token`, { method: "POST", body: new URLSearchParams(form) });
    return ((await answer.json()) as { id_token: string }).id_token;
  };

  const signIn = async (token: string, key?: ProofMaker) => {
    const session = await exchangeIdToken(site.endpoints, token, { key });
    session.close();
    return session.chain;
  };

  describe("by authn's own page, which is the one client that Keycloak knows", () => {
    /** Says yes there to what asks. @returns where Keycloak sends the browser then */
    const confirmed = async (page: string, provider: "kc" | "kc-saml") => {
      const person = new Browser();
      const asked = await person.get(page);
      const { location } = await person.post(page.replace(/\?.*/, ""), { ...hiddenFields(asked.text), provider });
      return { person, arrived: await alice().browse(location?.href ?? assert.fail(textOf(asked.text))) };
    };
    const login = (profile: string, ...more: string[]) => {
      const { promise: shown, resolve } = Promise.withResolvers<string>();
      const onStderr = (text: string) => {
        const page = /or open (\S+)\n/.exec(text)?.[1];
        if (page !== undefined) resolve(page);
      };
      return { shown, ended: sallyport(["login", "--profile", profile, "-c", site.configFile, "-o", "json", ...more], { env, onStderr }) };
    };

    it("sign in by a device code, at Keycloak by OIDC", async function () {
      this.timeout(60_000);
      const { shown, ended } = login("authn-device", "--device");
      const { person, arrived } = await confirmed(await shown, "kc");
      assert.equal(`${arrived.url.origin}${arrived.url.pathname}`, `${site.pages}/oauth/callback/kc`);
      assert.equal(arrived.url.searchParams.get("iss"), issuer, "Keycloak names itself (RFC 9207)");
      assert.match(textOf((await person.get(arrived.url.href)).text), /You signed in as\s+kc\/alice/);
      const { code, stdout, stderr } = await ended;
      assert.equal(code, 0, stderr);
      assert.deepEqual([JSON.parse(stdout).id, JSON.parse(stdout).groups], ["kc/alice", ["kc/release-team"]]);
    });

    it("sign in by a browser here, at Keycloak by SAML", async function () {
      this.timeout(60_000);
      const { ended } = login("authn-saml", "--browser");
      const { person, arrived } = await confirmed(await browser.opened(), "kc-saml");
      const posted = await person.post(arrived.url.href, Object.fromEntries(new URLSearchParams(arrived.html)));
      const { location } = await person.get(posted.location?.href ?? assert.fail(textOf(posted.text)));
      await fetch(location ?? assert.fail("the command line is not told"));
      const { code, stdout, stderr } = await ended;
      assert.equal(code, 0, stderr);
      assert.deepEqual([JSON.parse(stdout).id, JSON.parse(stdout).groups], ["kc-saml/alice", ["kc-saml/release-team"]]);
    });
  });

  describe("by OIDC", () => {
    it("exchange an ID token, and have the groups that Keycloak says", async function () {
      this.timeout(60_000);
      const { links, groups } = await signIn(await idToken("bob"));
      assert.deepEqual([links.map(({ id }) => id), groups], [["kc/bob"], ["kc/release-approvers"]]);
    });

    it("sign in by a browser (authorization code with PKCE)", async function () {
      this.timeout(60_000);
      const signingIn = mustRun(["login", "--browser", "--provider", "kc", "-c", site.configFile, "-o", "json"], { env });
      const { url } = await alice().browse(await browser.opened());
      assert.equal(url.hostname, "127.0.0.1");
      await fetch(url);
      const me = JSON.parse(await signingIn);
      assert.deepEqual([me.id, me.groups], ["kc/alice", ["kc/release-team"]]);
    });

    it("sign in by a code on another device", async function () {
      this.timeout(60_000);
      const where = ["--profile", "device", "--issuer", issuer, "--client-id", "sallyport", "-c", site.configFile];
      const child = spawn(process.execPath, [cli, "login", "--device", ...where, "-o", "json"], {
        env: { ...process.env, ...plain, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (text) => (stdout += text));
      const { promise: shown, resolve } = Promise.withResolvers<string>();
      child.stderr.on("data", (text) => {
        stderr += text;
        const [, url] = /or open (\S+)\n/.exec(stderr) ?? [];
        if (url !== undefined) resolve(url);
      });
      const ended = new Promise((done) => child.on("close", done));
      await alice().browse((await Promise.race([shown, ended.then(() => assert.fail(stderr))])) as string);
      assert.equal(await ended, 0, stderr);
      assert.equal(JSON.parse(stdout).id, "kc/alice");
    });

    it("go on signing in when Keycloak rotates its key, and the withdrawn key is dropped", async function () {
      this.timeout(60_000);
      const byOldKey = [await idToken("alice"), await idToken("alice")] as const;
      const holder = ProofMaker.generate();
      await signIn(byOldKey[0]);
      const withdraw = await rotateKey(server(), site.realm);
      const byNewKey = await idToken("alice");
      const kidOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
      assert.notEqual(kidOf(byNewKey), kidOf(byOldKey[0]));
      // The new key is asked for as soon as the least pause between two questions is over.
      await eventually("done", async () => signIn(await idToken("alice")));
      await withdraw();
      await eventually("UNAUTHENTICATED", () => signIn(byOldKey[1], holder));
      assert.equal((await signIn(await idToken("alice"))).links[0]?.id, "kc/alice");
    });
  });

  describe("by SAML", () => {
    const begin = async (...more: string[]) => {
      const signingIn = sallyport(["login", "--saml", "kc-saml", "--profile", "saml", "-c", site.configFile, "-o", "json", ...more], {
        env,
      });
      return { signingIn, posted: await alice().browse((await beginSignIn(await browser.opened())).next.href) };
    };
    const post = ({ url, html }: Arrived) => fetch(url, { method: "POST", body: new URLSearchParams(html), redirect: "manual" });

    it("sign in by a browser, and have the groups that Keycloak says", async function () {
      this.timeout(60_000);
      const { signingIn, posted } = await begin();
      assert.equal(posted.url.pathname, "/saml/kc-saml/acs");
      const answer = await post(posted);
      assert.equal(answer.status, 303, await answer.text());
      const back = new URL(answer.headers.get("location") ?? "");
      assert.equal(back.hostname, "127.0.0.1");
      await fetch(back);
      const { code, stdout, stderr } = await signingIn;
      assert.equal(code, 0, stderr);
      const me = JSON.parse(stdout);
      assert.deepEqual([me.id, me.groups], ["kc-saml/alice", ["kc-saml/release-team"]]);
      assert.ok(!stderr.includes(back.searchParams.get("code") ?? "?"));

      const again = await post(posted);
      assert.equal(again.status, 401);
      assert.match(await again.text(), /\(replayed\)/);
    });

    it("are refused where somebody changed what Keycloak signed", async function () {
      this.timeout(60_000);
      const { signingIn, posted } = await begin();
      const form = new URLSearchParams(posted.html);
      const xml = Buffer.from(form.get("SAMLResponse") ?? "", "base64").toString();
      form.set("SAMLResponse", Buffer.from(xml.replaceAll(">alice<", ">bob<")).toString("base64"));
      const answer = await post({ ...posted, html: form.toString() });
      assert.equal(answer.status, 401);
      assert.match(await answer.text(), /\(signature\)/);
      // The genuine one still counts.
      await fetch((await post(posted)).headers.get("location") ?? "");
      assert.equal((await signingIn).code, 0);
    });

    it("go on signing in when Keycloak rolls its certificate over, by what its metadata say", async function () {
      this.timeout(60_000);
      await (await rotateKey(server(), site.realm))();
      const { signingIn, posted } = await begin();
      const answer = await post(posted);
      assert.equal(answer.status, 303, await answer.text());
      await fetch(answer.headers.get("location") ?? "");
      assert.equal((await signingIn).code, 0);
    });
  });
});
