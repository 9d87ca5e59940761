import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { exchangeIdToken, ProofMaker } from "@sallyport/sdk";
import { BrowserCommand } from "../../packages/cli/src/sign-in/browser.fixture.ts";
import { loopback } from "../demo/configuration.ts";
import { cli, mustRun } from "../demo/process.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { eventually } from "../faults/told.ts";
import { KeycloakPerson } from "../support/keycloak/person.ts";
import { makeRealm, password, rotateKey } from "../support/keycloak/realm.ts";
import { describeWith, keycloak } from "../support/servers.ts";

describeWith("people of a real Keycloak", { server: keycloak }, ({ server }) => {
  const realm = `corp-${randomUUID()}`;
  let site: Site;
  let issuer: string;
  let browser: BrowserCommand;
  let env: Record<string, string>;
  before(async function () {
    this.timeout(120_000);
    issuer = await makeRealm(server(), realm);
    site = await embeddedSite({
      configure: (config) => {
        config.trust.oidc.push({
          name: "kc",
          issuer,
          audience: "sallyport",
          algorithms: ["RS256"],
          subject: { claim: "preferred_username" },
          groups: { claim: "groups" },
          keySeconds: 5,
          network: loopback,
        });
      },
    });
    browser = new BrowserCommand(join(site.folder, "browser"));
    env = { SALLYPORT_HOME: join(site.folder, "people"), SSH_CONNECTION: "", ...browser.env };
  });
  after(() => site?.stop());

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

  describe("by OIDC", () => {
    it("exchange an ID token, and have the groups that Keycloak says", async () => {
      const { links, groups } = await signIn(await idToken("bob"));
      assert.deepEqual([links.map(({ id }) => id), groups], [["kc/bob"], ["kc/release-approvers"]]);
    });

    it("sign in by a browser (authorization code with PKCE)", async () => {
      const signingIn = mustRun(["login", "--browser", "--provider", "kc", "-c", site.configFile, "-o", "json"], { env });
      const { url } = await alice().browse(await browser.opened());
      assert.equal(url.hostname, "127.0.0.1");
      await fetch(url);
      const me = JSON.parse(await signingIn);
      assert.deepEqual([me.id, me.groups], ["kc/alice", ["kc/release-team"]]);
    });

    it("sign in by a code on another device", async function () {
      this.timeout(40_000);
      const where = ["--profile", "device", "--issuer", issuer, "--client-id", "sallyport", "-c", site.configFile];
      const child = spawn(process.execPath, [cli, "login", "--device", ...where, "-o", "json"], {
        env: { ...process.env, ...env },
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
      const withdraw = await rotateKey(server(), realm);
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
});
