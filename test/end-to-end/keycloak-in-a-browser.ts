import assert from "node:assert/strict";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { mustRun, sallyport } from "../demo/process.ts";
import { type Evidence, evidenceOnce, readEvidence, terminalEvents } from "../faults/evidence-log.ts";
import { chainIds, delegateArgs, FiveAgents } from "../sign-in/agents.ts";
import { Login } from "../sign-in/login.ts";
import { assertAccessible } from "../support/browser/accessible.ts";
import { startChromium } from "../support/browser/chromium.ts";
import { BrowserPerson } from "../support/browser/person.ts";
import { describeWithTools, tools } from "../support/it-with.ts";
import type { KeycloakSite } from "../support/keycloak/site.ts";

/** People at Keycloak's own pages and at ours, in a browser that obeys policies, keeps cookies and runs scripts. */
export function inARealBrowser(at: () => KeycloakSite): void {
  describeWithTools([tools.chromium], "in a real browser", function () {
    this.timeout(120_000);
    let browser: Browser;
    const people: BrowserPerson[] = [];
    const logins: Login[] = [];
    before(async () => {
      browser = await startChromium();
    });
    afterEach(async () => {
      for (const login of logins.splice(0)) login.stop();
      for (const person of people.splice(0)) await person.close();
    });
    after(() => browser?.close());

    const envOf = (profile: string) => ({ SALLYPORT_HOME: join(at().folder, "in-a-browser"), SALLYPORT_PROFILE: profile });

    /** The command line of somebody who copies the address that it prints into a browser. */
    const begin = async (profile: string, way: readonly string[], opens = /^Sign in here.*: (\S+)$/m) => {
      const login = new Login([...way, "-c", at().configFile, "-o", "json"], envOf(profile));
      logins.push(login);
      return { login, url: await login.says(opens) };
    };
    const person = async (name: string) => {
      const came = await BrowserPerson.at(browser, name);
      people.push(came);
      return came;
    };
    const byOidc = ["--browser", "--provider", "kc"];
    const bySaml = ["--saml", "kc-saml"];

    /** What the browser complains of at pages that are not Keycloak's. */
    const complaintsOf = ({ complaints }: BrowserPerson) =>
      complaints.filter(({ url }) => !url.startsWith(new URL(at().issuer).origin)).map(({ text }) => text);
    const whoami = async (profile: string) => JSON.parse(await mustRun(["whoami", "-o", "json"], { env: envOf(profile) }));
    const signIns = (records: Evidence[], id: string) =>
      records.filter(
        ({ metadata, status, actor }) => metadata.event_code === "session.start" && status === "Success" && actor?.user?.uid === id,
      );

    /** What the person's groups give is theirs, and they start five agents, of which the last uses a secret. */
    const startsFiveAgents = async (profile: string, provider: string) => {
      const id = `${provider}/alice`;
      const me = await whoami(profile);
      assert.deepEqual([me.id, me.groups], [id, [`${provider}/release-team`]]);
      assert.ok(Date.parse(me.sessionEndsAt) > Date.parse(me.expiresAt), "whoami says until when");
      const secrets = JSON.parse(await mustRun(["secrets", "ls", "-o", "json"], { env: envOf(profile) }));
      assert.deepEqual(secrets, [{ name: "prod/orders/read", categories: ["orders"] }], "her group's secret and no other");

      const agents = await FiveAgents.start(envOf(profile));
      try {
        const order = `/v1/orders/${provider.length}`;
        const { status, text } = await agents.use(order);
        assert.equal(status, 200, text);
        assert.ok(!text.includes(at().canary));
        const live = JSON.parse(await mustRun(["sessions", "ls", "-o", "json"], { env: envOf(profile) })) as {
          id: string;
          state: string;
        }[];
        assert.deepEqual(
          live.filter(({ id: agent }) => agent.startsWith(`${id}#`)).map(({ id: agent, state }) => [agent, state]),
          chainIds(id)
            .slice(1)
            .map((agent) => [agent, "live"]),
        );
        const ended = (records: Evidence[]) => terminalEvents(records, order).filter(({ status: ended }) => ended === "Success");
        const records = await evidenceOnce(at().log, "the last agent's use", (all) => ended(all).length > 0, 30_000);
        const [use] = ended(records);
        assert.deepEqual(
          use?.unmapped.delegation?.map((link) => link.id),
          chainIds(id),
          "evidence names everybody, from the person to the last agent",
        );
        assert.equal(use?.unmapped.sallyport.secret?.name, "prod/orders/read");
      } finally {
        agents.stop();
      }
    };

    it("a person signs in by OIDC, a wrong password first, and starts a chain of five agents", async () => {
      const { login, url } = await begin("oidc", byOidc);
      const alice = await person("alice");
      await alice.open(url);
      await alice.signIn("not-the-password");
      await alice.page.getByText("Invalid username or password").waitFor();
      assert.ok(alice.page.url().startsWith(at().issuer), "the browser stays at Keycloak");
      assert.ok(login.running, "and nobody is signed in");
      assert.deepEqual(signIns(readEvidence(at().log), "kc/alice"), []);

      await alice.signIn();
      await alice.sees("Go back to your terminal");
      assert.equal(new URL(alice.page.url()).hostname, "127.0.0.1");
      assert.deepEqual((await login.answer()).groups, ["kc/release-team"]);
      await assertAccessible(alice.page);
      assert.deepEqual(complaintsOf(alice), []);
      await startsFiveAgents("oidc", "kc");
    });

    it("a person signs in by SAML, sees the terminal's code on Sallyport's page first, and starts a chain of five agents", async () => {
      const { login, url } = await begin("saml", bySaml);
      const alice = await person("alice");
      await alice.open(url);
      await alice.sees("Sign in to Sallyport?");
      const code = await login.says(/^The page shows the code (\S+)\./m);
      assert.equal(await alice.page.locator("strong").textContent(), code);
      const colour = await alice.page.evaluate('getComputedStyle(document.querySelector("button")).backgroundColor');
      assert.equal(colour, "rgb(20, 96, 63)", "the page's own style is let in by its policy");
      await assertAccessible(alice.page);

      await alice.press("The code is the same: sign in");
      await alice.signIn();
      await alice.sees("Go back to your terminal");
      assert.deepEqual((await login.answer()).groups, ["kc-saml/release-team"]);
      assert.deepEqual(complaintsOf(alice), []);
      const blocked = alice.page.waitForEvent("console", (message) => /Content Security Policy/.test(message.text()));
      await alice.page.evaluate('document.body.append(Object.assign(new Image(), { src: "https://elsewhere.example/x.png" }))');
      await blocked;
      await startsFiveAgents("saml", "kc-saml");
    });

    it("a person who says no on Sallyport's page is not signed in, though Keycloak would have asked nothing more", async () => {
      const alice = await person("alice");
      const first = await begin("before", bySaml);
      await alice.open(first.url);
      await alice.press("The code is the same: sign in");
      await alice.signIn();
      await alice.sees("Go back to your terminal");
      await first.login.answer();

      const { login, url } = await begin("no", bySaml);
      await alice.open(url);
      await alice.press("No, I did not ask for this");
      await alice.sees("Nobody was signed in");
      assert.match(await alice.text(), /UNAUTHENTICATED \(declined\)/);
      await assertAccessible(alice.page);
      await alice.page.getByRole("link", { name: "Tell the command line" }).click();
      await alice.sees("Nobody was signed in");
      const { code, stderr } = await login.ended;
      assert.equal(code, 4, stderr);
      assert.match(stderr, /UNAUTHENTICATED.*You said no on the page/);
      // The refusal's page came with its status, of which the browser speaks.
      assert.deepEqual(
        complaintsOf(alice).filter((text) => !/status of 401/.test(text)),
        [],
      );
      await evidenceOnce(at().log, "her no", (all) => all.some(({ unmapped }) => unmapped.sallyport.details?.rule === "declined"), 30_000);
    });

    it("a person who says no at Keycloak, to a code from another device, is not signed in", async () => {
      const { login, url } = await begin("device", ["--device", "--provider", "kc"], /^or open (\S+)$/m);
      const alice = await person("alice");
      await alice.open(url);
      await alice.signIn();
      await alice.page.locator("#kc-cancel").click();
      const { code, stderr } = await login.ended;
      assert.equal(code, 4, stderr);
      assert.match(stderr, /UNAUTHENTICATED.*access_denied/);
    });

    it("a person without the group is who they are, and may start nothing and see nothing", async () => {
      const { login, url } = await begin("bob", byOidc);
      const bob = await person("bob");
      await bob.open(url);
      await bob.signIn();
      await bob.sees("Go back to your terminal");
      await login.answer();
      const me = await whoami("bob");
      assert.deepEqual([me.id, me.groups], ["kc/bob", ["kc/release-approvers"]]);
      assert.deepEqual(JSON.parse(await mustRun(["secrets", "ls", "-o", "json"], { env: envOf("bob") })), []);
      const { code, stderr } = await sallyport(delegateArgs("A".repeat(43)), { env: envOf("bob") });
      assert.equal(code, 3, stderr);
      assert.match(stderr, /DENIED_BY_POLICY/);
      const refused = ({ metadata, status_code, unmapped }: Evidence) =>
        metadata.event_code === "agent.delegate" && status_code === "DENIED_BY_POLICY" && unmapped.delegation?.[0]?.id === "kc/bob";
      await evidenceOnce(at().log, "the refusal", (all) => all.some(refused), 30_000);
    });
  });
}
