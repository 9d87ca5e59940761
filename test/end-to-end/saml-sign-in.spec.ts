import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { keyCode, ProofMaker } from "@sallyport/identity";
import { Agent, request } from "undici";
import { BrowserCommand } from "../../packages/cli/src/sign-in/browser.fixture.ts";
import { LocalIdp, newPair } from "../../services/authn/src/trust/saml/local-idp.fixture.ts";
import { freePorts } from "../demo/free-port.ts";
import { sallyport } from "../demo/process.ts";
import { type Evidence, evidenceOnce } from "../faults/evidence-log.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";
import { beginSignIn } from "../support/saml/begin-sign-in.ts";

/** More than all other tests here post. */
const samlPerMinute = 40;

describe("a person signs in by SAML", () => {
  let site: Site;
  let idp: LocalIdp;
  let browser: BrowserCommand;
  let env: Record<string, string>;
  let base: string;
  let folder: string;
  before(async function () {
    this.timeout(120_000);
    const [port] = await freePorts(1);
    base = `http://127.0.0.1:${port}/saml/staff`;
    idp = await LocalIdp.open();
    idp.acs = `${base}/acs`;
    folder = scratchFolder("idp");
    const metadata = join(folder, "idp.xml");
    writeFileSync(metadata, idp.metadata());
    site = await embeddedSite({
      configure: (config) => {
        config.listen.edge = `127.0.0.1:${port}`;
        const provider = { idp: idp.entityId, entityId: idp.audience, metadata, spInitiated: true, idpInitiated: true };
        config.authn = { ...config.authn, samlPerMinute };
        config.trust.saml = [{ name: "staff", acs: idp.acs, groups: { attribute: "groups" }, ...provider }];
      },
    });
    browser = new BrowserCommand(join(site.folder, "browser"));
    env = { SALLYPORT_HOME: join(site.folder, "people"), SSH_CONNECTION: "", ...browser.env };
  });
  after(async () => {
    await site?.stop();
    removeScratch(folder);
  });

  const post = (field: string, more = "") =>
    fetch(`${base}/acs${more}`, { method: "POST", body: new URLSearchParams({ SAMLResponse: field, RelayState: "" }), redirect: "manual" });

  /** The request that the browser is sent to the identity provider with. */
  const requestAt = async (url: string) => {
    const { code, next: to } = await beginSignIn(url);
    assert.equal(`${to.origin}${to.pathname}`, "https://idp.example/sso");
    const xml = inflateRawSync(Buffer.from(to.searchParams.get("SAMLRequest") ?? "", "base64")).toString();
    return { code, inResponseTo: / ID="([^"]+)"/.exec(xml)?.[1] ?? assert.fail(xml) };
  };

  it("by sallyport login --saml, and no sign-in or refusal is without its record", async () => {
    const signingIn = sallyport(["login", "--saml", "staff", "-c", site.configFile, "-o", "json"], { env });
    const { code: shown, inResponseTo } = await requestAt(await browser.opened());
    const refused = await post(await idp.response({ inResponseTo, nameId: "mallory" }, { pair: await newPair() }));
    assert.equal(refused.status, 401);
    assert.match(
      await refused.text(),
      /<p>The SAML response is not accepted: its signature .* Sign in again\.<\/p>\n.*<code>UNAUTHENTICATED \(signature\)<\/code>/,
    );
    const answer = await post(await idp.response({ inResponseTo }));
    assert.deepEqual([answer.status, answer.headers.get("referrer-policy")], [303, "no-referrer"]);
    await fetch(answer.headers.get("location") ?? "");
    const { code, stdout, stderr } = await signingIn;
    assert.equal(code, 0, stderr);
    assert.match(stderr, new RegExp(`The page shows the code ${shown}\\.`));
    assert.deepEqual([JSON.parse(stdout).id, JSON.parse(stdout).groups], ["staff/alice", ["staff/release-team"]]);

    const bySaml = (all: Evidence[]) => all.filter(({ auth_protocol }) => auth_protocol === "SAML");
    const records = bySaml(await evidenceOnce(site.log, "the sign-in", (all) => bySaml(all).length >= 3));
    assert.deepEqual(
      records.map(({ metadata, status, unmapped }) => [metadata.event_code, status, unmapped.sallyport.details?.rule]),
      [
        ["session.saml", "Failure", "signature"],
        ["session.saml", "Success", undefined],
        ["session.start", "Success", undefined],
      ],
    );
  });

  it("and no program or page begins one for a key of its own without the person's yes on a page that shows its code", async () => {
    const login = (thumbprint: string) => `${base}/login?${new URLSearchParams({ jkt: thumbprint, state: "A".repeat(22), port: "8123" })}`;
    const [attackers, persons] = [ProofMaker.generate().thumbprint, ProofMaker.generate().thumbprint];
    const page = await fetch(login(attackers), { redirect: "manual" });
    assert.deepEqual([page.status, page.headers.get("location")], [200, null], "the browser must rest on a page");
    assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'; frame-ancestors 'none'/);
    const html = await page.text();
    assert.ok(html.includes(keyCode(attackers)) && !html.includes(keyCode(persons)), html);
    // A page of the attacker's sends the form by itself.
    const headers: Record<string, string>[] = [
      { origin: "http://127.0.0.1:8123" },
      { origin: "https://evil.example" },
      { origin: "null" },
      {},
    ];
    for (const from of headers) {
      const forged = await fetch(login(attackers), { method: "POST", body: "", headers: from, redirect: "manual" });
      assert.deepEqual([forged.status, forged.headers.get("location")], [400, null], JSON.stringify(from));
    }
    assert.equal((await requestAt(login(persons))).code, keyCode(persons));
  });

  it("and a no on that page sends nothing to the identity provider, is on record, and is told to the command line", async () => {
    const signingIn = sallyport(["login", "--saml", "staff", "--profile", "declined", "-c", site.configFile, "-o", "json"], { env });
    const url = await browser.opened();
    const answered = (body: Record<string, string>) =>
      fetch(url, { method: "POST", body: new URLSearchParams(body), headers: { origin: new URL(url).origin }, redirect: "manual" });
    for (const unclear of [{}, { answer: "" }, { answer: "maybe" }, { yes: "yes" }])
      assert.equal((await answered(unclear as Record<string, string>)).status, 400, JSON.stringify(unclear));
    const no = await answered({ answer: "no" });
    assert.deepEqual([no.status, no.headers.get("location")], [401, null]);
    const html = await no.text();
    assert.match(html, /<code>UNAUTHENTICATED \(declined\)<\/code>/);
    const back = new URL(/<a href="([^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? assert.fail(html));
    assert.deepEqual([back.hostname, back.searchParams.get("error")], ["127.0.0.1", "access_denied"]);
    await fetch(back);
    const { code, stderr } = await signingIn;
    assert.equal(code, 4, stderr);
    assert.match(stderr, /UNAUTHENTICATED.*You said no on the page/);
    const refused = ({ unmapped }: Evidence) => unmapped.sallyport.details?.rule === "declined";
    const records = await evidenceOnce(site.log, "the no", (all) => all.some(refused));
    assert.deepEqual(
      records.filter(refused).map(({ metadata, status, status_code }) => [metadata.event_code, status, status_code]),
      [["session.saml", "Failure", "UNAUTHENTICATED"]],
    );
  });

  it("from the identity provider, with the code that the page shows", async () => {
    const answer = await post(await idp.response({ nameId: "bob" }));
    const text = await answer.text();
    const [, shown = ""] = /<p class="code long">([A-Za-z0-9_-]{43})<\/p>/.exec(text) ?? [];
    const login = (profile: string) =>
      sallyport(["login", "--saml-code-stdin", "--profile", profile, "-c", site.configFile, "-o", "json"], { env, input: shown });
    const first = await login("first");
    assert.equal(first.code, 0, first.stderr);
    assert.equal(JSON.parse(first.stdout).id, "staff/bob");
    const second = await login("second");
    assert.equal(second.code, 4);
    assert.match(second.stderr, /used already/);
    await evidenceOnce(site.log, "that refusal, as one of SAML", (all) =>
      all.some(
        ({ metadata, status, auth_protocol }) =>
          metadata.event_code === "session.start" && status === "Failure" && auth_protocol === "SAML",
      ),
    );
  });

  it("and nothing else is served there", async () => {
    const good = { jkt: "A".repeat(43), state: "A".repeat(22), port: "8123" };
    const login = (query: Record<string, string>, more = "") =>
      fetch(`${base}/login?${new URLSearchParams(query)}${more}`, { redirect: "manual" });
    assert.equal((await login(good)).status, 200);
    for (const bad of [{ jkt: "x" }, { state: "A" }, { port: "0" }, { port: "70000" }, { port: "80@evil.example" }, { port: "" }])
      assert.equal((await login({ ...good, ...bad })).status, 400, JSON.stringify(bad));
    assert.equal((await login(good, "&port=1")).status, 400);
    assert.equal((await post("AAAA", "?x=1")).status, 400);
    assert.equal(
      (
        await fetch(`${base}/acs`, {
          method: "POST",
          body: "SAMLResponse=AAAA&SAMLResponse=AAAA",
          headers: { "content-type": "application/x-www-form-urlencoded" },
        })
      ).status,
      400,
    );
    assert.equal((await fetch(`${base}/acs`, { method: "POST", body: "{}", headers: { "content-type": "application/json" } })).status, 400);
    assert.equal((await fetch(`${base}/acs`)).status, 404);
    const metadata = await fetch(`${base}/metadata`);
    assert.match(await metadata.text(), new RegExp(`Location="${base}/acs"`));
    const unknown = await sallyport(["login", "--saml", "nobody", "-c", site.configFile], { env });
    assert.deepEqual([unknown.code, /there is: staff/.test(unknown.stderr)], [2, true]);
  });

  it("nor is anything looked at of an address that posts too often, while others are served", async () => {
    const statuses: number[] = [];
    while (statuses.at(-1) !== 429 && statuses.length <= samlPerMinute) statuses.push((await post("AAAA")).status);
    assert.equal(statuses.at(-1), 429);
    const refused = await post(await idp.response({ nameId: "carol" }));
    assert.equal(refused.status, 429);
    assert.match(await refused.text(), /RATE_LIMITED/);
    const elsewhere = new Agent({ localAddress: "127.0.0.2" });
    const { statusCode } = await request(`${base}/acs`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ SAMLResponse: await idp.response({ nameId: "carol" }) }).toString(),
      dispatcher: elsewhere,
    });
    await elsewhere.close();
    assert.equal(statusCode, 200);
  });

  it("keeps the code out of what it logs", () => {
    const log = readFileSync(join(site.folder, "logs", "sallyport.log"), "utf8");
    assert.doesNotMatch(log, /code=|SAMLResponse/);
  });
});
