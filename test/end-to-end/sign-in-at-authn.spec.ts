import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { BrowserCommand } from "../../packages/cli/src/sign-in/browser.fixture.ts";
import { LoginIssuer } from "../../packages/cli/src/sign-in/login-issuer.fixture.ts";
import { LocalIdp } from "../../services/authn/src/trust/saml/local-idp.fixture.ts";
import { Browser, hiddenFields, requestIn, textOf } from "../attacks/identity/sign-in-stage.ts";
import { freePorts } from "../demo/free-port.ts";
import { sallyport } from "../demo/process.ts";
import { type Evidence, evidenceOnce } from "../faults/evidence-log.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";

describe("a person signs in at authn, which is the one client of their identity providers", () => {
  let site: Site;
  let issuer: LoginIssuer;
  let idp: LocalIdp;
  let command: BrowserCommand;
  let env: Record<string, string>;
  let url: string;
  const folder = scratchFolder("sign-in");

  before(async function () {
    this.timeout(120_000);
    const [port] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    const secret = "of authn's own, thirty-two characters";
    issuer = await LoginIssuer.start({ secret, redirectUri: `${url}/oauth/callback/people` });
    idp = await LocalIdp.open();
    idp.acs = `${url}/saml/staff/acs`;
    const files = { secret: join(folder, "client-secret"), metadata: join(folder, "idp.xml") };
    writeFileSync(files.secret, secret);
    writeFileSync(files.metadata, idp.metadata());
    site = await embeddedSite({
      configure: (config) => {
        config.listen.edge = `127.0.0.1:${port}`;
        const signIn = { clientId: issuer.clientId, clientSecret: `file:${files.secret}` };
        const people = {
          name: "people",
          issuer: issuer.url,
          audience: issuer.clientId,
          algorithms: ["ES256"],
          groups: { claim: "groups" },
        };
        config.trust.oidc.push({ ...people, network: ["127.0.0.0/8"], signIn });
        const staff = { name: "staff", idp: idp.entityId, entityId: idp.audience, metadata: files.metadata, spInitiated: true };
        config.trust.saml = [{ ...staff, acs: idp.acs, groups: { attribute: "groups" } }];
        config.authn = { ...config.authn, signIn: { url } };
      },
    });
    command = new BrowserCommand(join(site.folder, "browser"));
    env = { SALLYPORT_HOME: join(site.folder, "people"), SSH_CONNECTION: "", ...command.env };
  });
  after(async () => {
    await site?.stop();
    await issuer?.stop();
    removeScratch(folder);
  });

  const login = (...more: string[]) => sallyport(["login", "-c", site.configFile, "-o", "json", ...more], { env });

  /** The page, on which alice says yes; at the provider, which lets her in; and back. @returns the code that the page showed, and what came then */
  const signInAt = async (page: string, provider: "people" | "staff") => {
    const browser = new Browser();
    const asked = await browser.get(page);
    const code = /<p class="code"><strong>([^<]+)</.exec(asked.text)?.[1] ?? assert.fail(textOf(asked.text));
    const { location: sentTo } = await browser.post(page.replace(/\?.*/, ""), { ...hiddenFields(asked.text), provider });
    assert.ok(sentTo);
    const back = provider === "people" ? await issuer.browse(sentTo.href) : await byWayOfSaml(sentTo);
    return { code, done: await browser.get(back.href) };
  };

  const byWayOfSaml = async (sentTo: URL) => {
    const SAMLResponse = await idp.response({ inResponseTo: requestIn(sentTo) });
    return (await new Browser().post(idp.acs, { SAMLResponse })).location ?? assert.fail("the response was refused");
  };

  it("by a browser on this machine", async () => {
    const signingIn = login();
    const { code, done } = await signInAt(await command.opened(), "people");
    await fetch(done.location ?? assert.fail(textOf(done.text)));
    const { code: exit, stdout, stderr } = await signingIn;
    assert.equal(exit, 0, stderr);
    assert.match(stderr, new RegExp(`The page shows the code ${code}\\.`));
    assert.deepEqual([JSON.parse(stdout).id, JSON.parse(stdout).groups], ["people/alice", ["people/release-team"]]);
    const { stdout: me } = await sallyport(["whoami", "-o", "json"], { env });
    assert.equal(JSON.parse(me).id, "people/alice");
  });

  it("by a device code, at a SAML identity provider by the same page, for less than they may", async function () {
    this.timeout(60_000);
    const limits = ["--action", "use", "--secret", "prod/*", "--target", "*"];
    let seen: (line: string) => void = () => {};
    const shown = new Promise<string>((resolve) => {
      seen = resolve;
    });
    const signingIn = sallyport(["login", "--device", "-c", site.configFile, "-o", "json", "--profile", "device", ...limits], {
      env,
      onStderr: (text: string) => {
        const page = /or open (\S+)/.exec(text)?.[1];
        if (page !== undefined) seen(page);
      },
    });
    const { code, done } = await signInAt(await shown, "staff");
    assert.match(textOf(done.text), /You signed in as\s+staff\/alice/);
    const { code: exit, stdout, stderr } = await signingIn;
    assert.equal(exit, 0, stderr);
    assert.match(stderr, new RegExp(`enter the code ${code}`));
    const { id, ceiling } = JSON.parse(stdout);
    assert.deepEqual([id, JSON.stringify(ceiling).includes("prod/*")], ["staff/alice", true]);
  });

  it("not where they say no, and the command line says why", async () => {
    const signingIn = login("--browser", "--profile", "nobody");
    const page = await command.opened();
    const browser = new Browser();
    const asked = await browser.get(page);
    const { location } = await browser.post(page.replace(/\?.*/, ""), { ...hiddenFields(asked.text), answer: "no" });
    await fetch(location ?? assert.fail("the command line is not told"));
    const { code, stderr } = await signingIn;
    assert.equal(code, 4, stderr);
    assert.match(stderr, /Nobody was signed in \(access_denied\): You said no/);
  });

  it("not at another installation, nor at what is no address of a page", async () => {
    const at = (address: string) => sallyport(["login", "--sign-in-at", address, "-c", site.configFile, "--profile", "nobody"], { env });
    assert.match((await at(issuer.url)).stderr, /is another installation than/);
    assert.match((await at("http://sallyport.example.com")).stderr, /is no address to sign in at/);
    assert.match((await at(`${url}/somewhere`)).stderr, /is no address to sign in at/);
  });

  it("and each of it is on record", async () => {
    const here = (all: Evidence[]) => all.filter(({ metadata }) => metadata.event_code === "session.sign-in");
    const records = here(await evidenceOnce(site.log, "the sign-ins", (all) => here(all).length >= 3));
    assert.deepEqual(
      records.map(({ status, unmapped }) => [status, unmapped.sallyport.details?.principal, unmapped.sallyport.details?.way]),
      [
        ["Success", "people/alice", "code"],
        ["Success", "staff/alice", "device"],
        ["Failure", undefined, undefined],
      ],
    );
  });
});
