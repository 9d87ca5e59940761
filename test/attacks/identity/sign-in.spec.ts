import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { keyCode, ProofMaker } from "@sallyport/identity";
import { decodeJwt } from "jose";
import { authorizationRequest, Browser, deviceGrant, hiddenFields, redirectUri, ruleOn, SignInStage, textOf } from "./sign-in-stage.ts";
import { audience } from "./stage.ts";

describe("attacks on signing in at authn", () => {
  let on: SignInStage;
  before(async () => {
    on = await SignInStage.open();
  });
  after(() => on.close());

  const errorOf = ({ status, answer }: { status: number; answer: Record<string, string> }) => `${status} ${answer.error}`;

  /** A device code, and the address with which the browser that confirmed it comes back. */
  const confirmed = async () => {
    const device = await on.device();
    const { browser, sent } = await on.confirm(device.page);
    assert.equal(sent.status, 303, textOf(sent.text));
    return { ...device, browser, sentTo: sent.location as URL };
  };

  /** Nobody was signed in, and the device still waits. */
  const stillWaits = async ({ code, maker }: { code: string; maker: ProofMaker }) =>
    assert.match(errorOf(await on.poll(code, maker)), /^400 (authorization_pending|slow_down)$/);

  it("a device code: asked for, answered, and redeemed once by its key", async () => {
    const { code, maker, page, userCode, answer } = await on.device();
    assert.match(userCode, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    assert.deepEqual([answer.expires_in, answer.interval, answer.verification_uri], [600, 2, `${on.url}/oauth/device`]);
    assert.equal(errorOf(await on.poll(code, maker)), "400 authorization_pending");
    assert.equal(errorOf(await on.poll(code, maker)), "400 slow_down");

    const { browser, asked, sent } = await on.confirm(page);
    assert.match(asked.text, new RegExp(userCode));
    assert.match(asked.text, /from 127\.0\.0\.1 at \d\d:\d\d UTC/);
    assert.match(asked.headers.get("content-security-policy") ?? "", /default-src 'none'; frame-ancestors 'none'/);
    assert.match(
      asked.headers.get("set-cookie") ?? "",
      /^__Host-sallyport-sign-in=[\w-]{22}; Path=\/; Max-Age=900; Secure; HttpOnly; SameSite=Lax$/,
    );
    const { location } = sent;
    assert.equal(`${location?.origin}${location?.pathname}`, `${on.stage.issuer.url}/authorize`);
    const { nonce, state, code_challenge, ...rest } = Object.fromEntries(location?.searchParams ?? []);
    assert.deepEqual(rest, {
      response_type: "code",
      client_id: "sallyport",
      redirect_uri: `${on.url}/oauth/callback/corp`,
      scope: "openid groups",
      code_challenge_method: "S256",
    });
    assert.ok([nonce, state, code_challenge].every((one) => (one as string).length >= 22));

    const done = await browser.get(on.comesBack(location as URL));
    assert.equal(done.status, 200, textOf(done.text));
    assert.match(done.text, /signed in as <strong>corp\/alice<\/strong>/);
    assert.match(on.asked.at(-1)?.authorization ?? "", /^Basic /, "as a confidential client");
    const issued = await on.poll(code, maker);
    assert.equal(issued.status, 200, JSON.stringify(issued.answer));
    const claims = decodeJwt(issued.answer.access_token as string);
    assert.deepEqual(
      [claims.sub, claims.groups, (claims.cnf as { jkt: string }).jkt],
      ["corp/alice", ["corp/release-team"], maker.thumbprint],
    );
    assert.equal(errorOf(await on.poll(code, maker)), "400 invalid_grant", "once only");
  });

  it("another key polls, and gets and slows down nothing", async () => {
    const { code, maker, browser, sentTo } = await confirmed();
    assert.equal(errorOf(await on.poll(code, ProofMaker.generate())), "400 invalid_grant");
    assert.equal((await browser.get(on.comesBack(sentTo))).status, 200);
    assert.equal(errorOf(await on.poll(code, ProofMaker.generate())), "400 invalid_grant");
    assert.equal((await on.poll(code, maker)).status, 200);
  });

  it("a code that is redeemed by ten at once is good for one", async () => {
    const { code, maker, browser, sentTo } = await confirmed();
    await browser.get(on.comesBack(sentTo));
    const all = await Promise.all(Array.from({ length: 10 }, () => on.poll(code, maker)));
    assert.deepEqual(all.map(errorOf).sort(), ["200 undefined", ...Array(9).fill("400 invalid_grant")]);
  });

  it("a person says no: nothing is sent to the issuer, and the device is told", async () => {
    const { code, maker, page } = await on.device();
    const { sent } = await on.confirm(page, new Browser(), { answer: "no" });
    assert.deepEqual([sent.status, ruleOn(sent.text), sent.location], [401, "denied", undefined]);
    assert.equal(errorOf(await on.poll(code, maker)), "400 access_denied");
  });

  it("the issuer says no: the device is told", async () => {
    const { code, maker, browser, sentTo } = await confirmed();
    const back = new URL(on.comesBack(sentTo, {}, { error: "access_denied" }));
    back.searchParams.delete("code");
    assert.equal(ruleOn((await browser.get(back.href)).text), "denied-there");
    assert.equal(errorOf(await on.poll(code, maker)), "400 access_denied");
  });

  it("an agent signs in by its person's device code for a ceiling, never without one", async () => {
    const { code, maker, browser, sentTo } = await confirmed();
    await browser.get(on.comesBack(sentTo));
    assert.equal(errorOf(await on.poll(code, maker, { agent_name: "release" })), "400 invalid_request", "and is not used up by that");
    const details = JSON.stringify([{ type: "sallyport", actions: ["use"], secrets: ["prod/*"], targets: ["*"] }]);
    const { answer } = await on.poll(code, maker, { agent_name: "release", authorization_details: details });
    assert.equal(decodeJwt(answer.access_token as string).client_id, "corp/alice#release");
  });

  describe("the answer of an identity provider is brought", () => {
    const wrong: readonly [name: string, rule: string, back: (sentTo: URL) => string | Promise<string>][] = [
      ["by a state that was never given", "over", (to) => on.comesBack(to, {}, { state: "AAAAAAAAAAAAAAAAAAAAAA" })],
      ["by no state", "over", (to) => on.comesBack(to).replace(/&state=[^&]*/, "")],
      ["by its state twice", "over", (to) => `${on.comesBack(to)}&state=${to.searchParams.get("state")}`],
      ["to another provider's callback", "other-provider", (to) => on.comesBack(to).replace("/callback/corp", "/callback/other")],
    ];
    for (const [name, rule, back] of wrong)
      it(`${name}: ${rule}`, async () => {
        const waiting = await confirmed();
        assert.equal(ruleOn((await waiting.browser.get(await back(waiting.sentTo))).text), rule);
        await stillWaits(waiting);
        const good = await waiting.browser.get(on.comesBack(waiting.sentTo));
        assert.equal(good.status, 200, "what was wrong ended nothing");
      });

    const bad: readonly [
      name: string,
      claims: () => Promise<Record<string, unknown>> | Record<string, unknown>,
      more?: Record<string, string>,
    ][] = [
      ["with the nonce of another sign-in", async () => ({ nonce: (await confirmed()).sentTo.searchParams.get("nonce") })],
      ["with no nonce", () => ({ nonce: undefined })],
      ["with the issuer of another provider (RFC 9207)", () => ({}), { iss: "https://elsewhere.example" }],
      ["with an ID token of another issuer", () => ({ iss: on.other.url })],
      ["with an ID token for another client", () => ({ aud: "somebody-else" })],
      ["with an ID token that has expired", () => ({ exp: Math.floor(Date.now() / 1000) - 100 })],
      ["with a code that the issuer does not know", () => ({}), { code: "guessed" }],
      ["with an error that is none", () => ({}), { error: "server_error" }],
    ];
    for (const [name, claims, more] of bad)
      it(name, async () => {
        const waiting = await confirmed();
        const page = await waiting.browser.get(on.comesBack(waiting.sentTo, await claims(), more));
        assert.ok(page.status >= 400, textOf(page.text));
        assert.match(page.text, /Nobody was signed in/);
        await stillWaits(waiting);
      });

    it("a second time", async () => {
      const { browser, sentTo } = await confirmed();
      const back = on.comesBack(sentTo);
      assert.equal((await browser.get(back)).status, 200);
      assert.equal(ruleOn((await browser.get(back)).text), "over");
    });

    it("by another browser, which harms nothing: so nobody is signed in as somebody else", async () => {
      const waiting = await confirmed();
      const back = on.comesBack(waiting.sentTo);
      const other = new Browser();
      assert.equal(ruleOn((await other.get(back)).text), "other-browser");
      await on.confirm((await on.device()).page, other);
      assert.equal(ruleOn((await other.get(back)).text), "other-browser", "nor by one that signs in itself");
      await stillWaits(waiting);
      assert.equal((await waiting.browser.get(back)).status, 200);
    });

    it("by an issuer that always names itself, and does not (RFC 9207 §2.4); others need not", async () => {
      const named = async (provider: string) => {
        const { sent, browser } = await on.confirm((await on.device()).page, new Browser(), { provider });
        const back = new URL(on.comesBack(sent.location as URL));
        back.searchParams.delete("iss");
        return browser.get(back.href);
      };
      assert.equal(ruleOn((await named("other")).text), "answer");
      assert.equal((await named("corp")).status, 200);
    });
  });

  describe("the form is sent", () => {
    const page = async () => {
      const device = await on.device();
      const browser = new Browser();
      const fields = hiddenFields((await browser.get(device.page)).text);
      return { ...device, browser, fields };
    };
    const send = (browser: Browser, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      browser.post(`${on.url}/oauth/device`, { provider: "corp", ...fields }, headers);

    it("by another site's page (CSRF)", async () => {
      const { browser, fields, ...device } = await page();
      for (const origin of ["https://evil.example", "null", `${on.url}.evil.example`])
        assert.equal(ruleOn((await send(browser, fields, { origin })).text), "other-page");
      await stillWaits(device);
    });
    it("without what only the page knows", async () => {
      const { browser, fields, ...device } = await page();
      assert.equal(ruleOn((await send(browser, { user_code: device.userCode })).text), "other-page");
      assert.equal(ruleOn((await send(browser, { ...fields, form: `${fields.form}x` })).text), "other-page");
      await stillWaits(device);
    });
    it("for another code than the page showed", async () => {
      const [shown, other] = [await page(), await on.device()];
      assert.equal(ruleOn((await send(shown.browser, { ...shown.fields, user_code: other.userCode })).text), "other-page");
      await stillWaits(other);
    });
    it("by a browser without the page's cookie, or with another's, or two", async () => {
      const { browser, fields, ...device } = await page();
      assert.equal(ruleOn((await send(new Browser(), fields)).text), "other-browser");
      assert.equal(ruleOn((await send((await page()).browser, fields)).text), "other-page");
      const [[name, value] = ["", ""]] = browser.cookies;
      const two = { cookie: `${name}=${value}; ${name}=AAAAAAAAAAAAAAAAAAAAAA` };
      assert.equal(ruleOn((await send(browser, fields, two)).text), "other-browser");
      await stillWaits(device);
    });
    it("with no answer, two, or a provider that there is not", async () => {
      const { browser, fields } = await page();
      for (const answer of [{ provider: "nobody" }, { provider: "corp", answer: "no" }, { provider: "constructor" }])
        assert.equal((await browser.post(`${on.url}/oauth/device`, { ...fields, ...answer })).status, 400);
      assert.equal((await send(browser, fields)).status, 303, "and the page is still good");
    });
    it("for a code that was answered already", async () => {
      const { browser, fields } = await page();
      const { sent } = { sent: await send(browser, fields) };
      await browser.get(on.comesBack(sent.location as URL));
      assert.equal(ruleOn((await send(browser, fields)).text), "user-code");
    });
  });

  describe("a device code is asked for", () => {
    for (const [name, form] of [
      ["by another client", { client_id: "console" }],
      ["without a client", {}],
      ["with a scope", { client_id: "sallyport-cli", scope: "admin" }],
      ["with more than is understood", { client_id: "sallyport-cli", authorization_details: "[]" }],
    ] as const)
      it(name, async () => assert.equal((await on.post("device_authorization", form, ProofMaker.generate())).status, 400));

    it("without a proof", async () => {
      const body = new URLSearchParams({ client_id: "sallyport-cli" });
      const response = await fetch(`${on.url}/oauth/device_authorization`, { method: "POST", body });
      assert.deepEqual([response.status, ((await response.json()) as { error: string }).error], [400, "use_dpop_nonce"]);
    });
  });

  it("a device code is redeemed with what belongs to an exchange, by another client, or guessed", async () => {
    const { code, maker } = await on.device();
    assert.equal(errorOf(await on.poll(code, maker, { subject_token: "x" })), "400 invalid_request");
    assert.equal(errorOf(await on.poll(code, maker, { client_id: "console" })), "400 invalid_grant");
    assert.equal(errorOf(await on.poll(`${code}x`, maker)), "400 invalid_grant");
    assert.equal(errorOf(await on.poll("x".repeat(5_000), maker)), "400 invalid_grant");
    assert.equal(errorOf(await on.poll(code, maker, { scope: "admin" })), "400 invalid_scope");
    await stillWaits({ code, maker });
  });

  describe("a SAML identity provider, by the same page", () => {
    const sentToSaml = async () => {
      const device = await on.device();
      const { browser, sent } = await on.confirm(device.page, new Browser(), { provider: "staff" });
      assert.equal(sent.location?.origin, "https://idp.example", textOf(sent.text));
      return { ...device, browser, sentTo: sent.location as URL };
    };

    it("signs in whoever confirmed the device code", async () => {
      const { code, maker, browser, sentTo } = await sentToSaml();
      const done = await browser.get(await on.respondsBySaml(sentTo));
      assert.match(done.text, /signed in as <strong>staff\/alice<\/strong>/);
      const claims = decodeJwt((await on.poll(code, maker)).answer.access_token as string);
      assert.deepEqual([claims.sub, claims.groups], ["staff/alice", ["staff/release-team"]]);
    });

    it("in another browser signs in nobody there", async () => {
      const [waiting, victim] = [await sentToSaml(), await sentToSaml()];
      assert.equal(ruleOn((await victim.browser.get(await on.respondsBySaml(waiting.sentTo))).text), "other-browser");
      await stillWaits(waiting);
      await stillWaits(victim);
    });

    it("cannot be mixed up: another's code, another's name, two, none", async () => {
      const wrong: readonly ((back: URL) => void)[] = [
        (back) => back.searchParams.set("iss", "https://elsewhere.example"),
        (back) => back.searchParams.delete("iss"),
        (back) => back.searchParams.append("code", "another"),
        (back) => back.searchParams.set("code", "AAAA"),
      ];
      for (const change of wrong) {
        const waiting = await sentToSaml();
        const back = new URL(await on.respondsBySaml(waiting.sentTo));
        change(back);
        assert.equal((await waiting.browser.get(back.href)).status, 401);
        await stillWaits(waiting);
      }
    });

    it("gives a code that is used up by the page: its key cannot exchange it, too", async () => {
      const { maker, browser, sentTo } = await sentToSaml();
      const back = await on.respondsBySaml(sentTo);
      await browser.get(back);
      const form = {
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token_type: "urn:sallyport:token-type:saml-code",
        subject_token: new URL(back).searchParams.get("code") as string,
      };
      assert.equal((await on.post("token", form, maker)).status, 400);
    });

    it("is begun with the port of the page itself by nobody else", async () => {
      const query = new URLSearchParams({ jkt: ProofMaker.generate().thumbprint, state: "AAAAAAAAAAAAAAAAAAAAAA", port: "0" });
      assert.equal((await new Browser().get(`${on.url}/saml/staff/login?${query}`)).status, 400);
    });
  });

  describe("an authorization code", () => {
    it("is for a key, a verifier and an address, and redeemed once", async () => {
      const { asked, back, ...good } = await on.code();
      assert.match(asked.text, new RegExp(keyCode(good.maker.thumbprint)));
      assert.deepEqual(
        [`${back.origin}${back.pathname}`, back.searchParams.get("state")],
        ["http://127.0.0.1:8123/callback", "its own state"],
      );
      assert.equal(back.searchParams.get("iss"), audience);
      const { status, answer } = await on.redeem(good);
      assert.equal(status, 200, JSON.stringify(answer));
      assert.equal(decodeJwt(answer.access_token as string).sub, "corp/alice");
    });

    it("that is used again ends the session that came of it, whoever shows it (RFC 6749 §4.1.2)", async () => {
      for (const again of [undefined, ProofMaker.generate()]) {
        const good = await on.code();
        const { answer } = await on.redeem(good);
        const renew = {
          grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
          subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
        };
        const renewal = () => on.post("token", { ...renew, subject_token: answer.access_token as string }, good.maker);
        assert.equal((await renewal()).status, 200);
        assert.equal(errorOf(await on.redeem({ ...good, maker: again ?? good.maker })), "400 invalid_grant");
        assert.equal(errorOf(await renewal()), "401 invalid_token");
      }
    });

    it("that is used by many at once leaves nobody a session", async () => {
      const good = await on.code();
      const all = await Promise.all(Array.from({ length: 6 }, () => on.redeem(good)));
      for (const { status, answer } of all)
        if (status === 200) {
          const renew = {
            grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
            subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
          };
          const renewed = await on.post("token", { ...renew, subject_token: answer.access_token as string }, good.maker);
          assert.equal(errorOf(renewed), "401 invalid_token");
        }
      assert.ok(all.filter(({ status }) => status === 200).length <= 1);
    });

    const wrong: readonly [name: string, error: string, more: Record<string, string> | (() => { maker: ProofMaker })][] = [
      ["with another key", "invalid_grant", () => ({ maker: ProofMaker.generate() })],
      ["with another verifier", "invalid_grant", { code_verifier: "A".repeat(43) }],
      ["with the challenge for a verifier", "invalid_grant", { code_verifier: "challenge" }],
      ["by another client", "invalid_grant", { client_id: "console" }],
      ["at another address", "invalid_grant", { redirect_uri: "http://127.0.0.1:8124/callback" }],
      ["as a device code", "invalid_request", { device_code: "x" }],
      ["with a scope", "invalid_scope", { scope: "admin" }],
      ["for another audience", "invalid_target", { audience: "https://elsewhere.example" }],
    ];
    for (const [name, error, more] of wrong)
      it(`${name}: ${error}, which harms nothing`, async () => {
        const good = await on.code();
        const [changed, form]: [object, Record<string, string>] = typeof more === "function" ? [more(), {}] : [{}, { ...more }];
        if (form.code_verifier === "challenge") form.code_verifier = createHash("sha256").update(good.verifier).digest("base64url");
        assert.equal(errorOf(await on.redeem({ ...good, ...changed }, form)), `400 ${error}`);
        assert.equal((await on.redeem(good)).status, 200);
      });

    it("without a verifier, or guessed", async () => {
      const good = await on.code();
      const form = { grant_type: "authorization_code", client_id: "sallyport-cli", redirect_uri: redirectUri, code: good.code };
      assert.equal(errorOf(await on.post("token", form, good.maker)), "400 invalid_request");
      assert.equal(errorOf(await on.redeem({ ...good, code: "guessed" })), "400 invalid_grant");
    });
  });

  describe("an authorization code is asked for", () => {
    const nowhere: readonly [name: string, rule: string, changes: Record<string, string | undefined>][] = [
      ["by nobody", "client", { client_id: undefined }],
      ["by an unknown client", "client", { client_id: "constructor" }],
      ["to no address", "redirect-uri", { redirect_uri: undefined }],
      ...[
        "https://evil.example/callback",
        "http://localhost:8123/callback",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:8123/callback/../x",
        "http://127.0.0.1:8123/callback?x=1",
        "http://127.0.0.1:8123/callback#x",
        "http://127.0.0.1:8123@evil.example/callback",
        "http://127.0.0.1.evil.example:8123/callback",
        "http://user@127.0.0.1:8123/callback",
        "http://127.0.0.2:8123/callback",
        "https://127.0.0.1:8123/callback",
        "javascript:alert(1)",
        "//evil.example/callback",
        "http://127.0.0.1:8123/callback\n",
        "https://console.example/callback",
      ].map((uri) => [`to ${JSON.stringify(uri)}`, "redirect-uri", { redirect_uri: uri }] as [string, string, Record<string, string>]),
      ["by a console, to a path of its own", "redirect-uri", { client_id: "console", redirect_uri: "https://console.example/callback/x" }],
      ["by a console, to the loopback", "redirect-uri", { client_id: "console" }],
    ];
    for (const [name, rule, changes] of nowhere)
      it(`${name}: nobody is sent anywhere`, async () => {
        const { asked } = await on.authorize(changes);
        assert.deepEqual([asked.status, ruleOn(asked.text), asked.location], [400, rule, undefined]);
      });

    const told: readonly [name: string, error: string, changes: Record<string, string | undefined>][] = [
      ["by the plain method", "invalid_request", { code_challenge_method: "plain" }],
      ["without a method", "invalid_request", { code_challenge_method: undefined }],
      ["without a challenge", "invalid_request", { code_challenge: undefined }],
      ["with a challenge that is no hash", "invalid_request", { code_challenge: "short" }],
      ["without a key", "invalid_request", { dpop_jkt: undefined }],
      ["with a key that is none", "invalid_request", { dpop_jkt: "x" }],
      ["for a token", "unsupported_response_type", { response_type: "token" }],
      ["for a code and an ID token", "unsupported_response_type", { response_type: "code id_token" }],
      ["to be answered in a fragment", "invalid_request", { response_mode: "fragment" }],
      ["with a scope", "invalid_scope", { scope: "openid" }],
      ["with a request object", "invalid_request", { request: "e30.e30." }],
    ];
    for (const [name, error, changes] of told)
      it(`${name}: the client is told ${error}`, async () => {
        const { asked } = await on.authorize(changes);
        const { origin, searchParams } = asked.location as URL;
        assert.equal(asked.status, 303);
        assert.deepEqual(
          [origin, searchParams.get("error"), searchParams.get("state"), searchParams.get("iss"), searchParams.get("code")],
          ["http://127.0.0.1:8123", error, "its own state", audience, null],
        );
      });

    it("with a parameter twice", async () => {
      const asks = authorizationRequest(ProofMaker.generate(), "v");
      const sent = async (more: string) => new Browser().get(`${on.url}/oauth/authorize?${asks}&${more}`);
      assert.equal(ruleOn((await sent("client_id=console")).text), "client");
      assert.equal(ruleOn((await sent(`redirect_uri=${encodeURIComponent("https://evil.example/")}`)).text), "redirect-uri");
      const twice = (await sent("state=other")).location as URL;
      assert.deepEqual([twice.searchParams.get("error"), twice.searchParams.get("state")], ["invalid_request", null]);
    });

    it("by a console, at exactly its address", async () => {
      const redirect = "https://console.example/callback";
      const { browser, asked, sent } = await on.authorize({ client_id: "console", redirect_uri: redirect });
      assert.match(asked.text, /console asks to act as you.*answered at https:\/\/console\.example\./s);
      const { location } = await browser.get(on.comesBack(sent.location as URL));
      assert.equal(`${location?.origin}${location?.pathname}`, redirect);
    });

    it("and the person says no, or the issuer does, or its answer does not hold: the client is told", async () => {
      const no = (await on.authorize({}, new Browser(), { answer: "no" })).sent.location as URL;
      assert.equal(no.searchParams.get("error"), "access_denied");
      const errorOn = async (more: Record<string, string>, claims = {}) => {
        const { browser, sent } = await on.authorize();
        return (await browser.get(on.comesBack(sent.location as URL, claims, more))).location?.searchParams.get("error");
      };
      assert.equal(await errorOn({ error: "access_denied" }), "access_denied");
      assert.equal(await errorOn({}, { nonce: "another" }), "server_error");
    });

    it("and another site says yes (CSRF), for this request or another: nobody is sent anywhere", async () => {
      const browser = new Browser();
      const page = async (changes = {}) =>
        hiddenFields((await browser.get(`${on.url}/oauth/authorize?${authorizationRequest(ProofMaker.generate(), "v", changes)}`)).text);
      const [fields, others] = [await page(), await page()];
      const forged: readonly [Record<string, string>, Record<string, string>?][] = [
        [fields, { origin: "https://evil.example" }],
        [{ ...fields, form: others.form as string }],
        [{ ...fields, dpop_jkt: others.dpop_jkt as string }],
        [{ ...fields, redirect_uri: "http://127.0.0.1:9/callback" }],
      ];
      for (const [form, headers] of forged) {
        const answer = await browser.post(`${on.url}/oauth/authorize`, { ...form, provider: "corp" }, headers);
        assert.deepEqual([answer.status, ruleOn(answer.text), answer.location], [401, "other-page", undefined]);
      }
      assert.equal(ruleOn((await new Browser().post(`${on.url}/oauth/authorize`, { ...fields, provider: "corp" })).text), "other-browser");
    });
  });

  it("the metadata say all of it (RFC 8414 §2)", async () => {
    const metadata = (await (await fetch(`${on.url}/.well-known/oauth-authorization-server`)).json()) as Record<string, unknown>;
    assert.deepEqual(
      [
        metadata.authorization_endpoint,
        metadata.device_authorization_endpoint,
        metadata.response_types_supported,
        metadata.code_challenge_methods_supported,
        metadata.authorization_response_iss_parameter_supported,
        (metadata.grant_types_supported as string[]).slice(1),
      ],
      [
        `${on.url}/oauth/authorize`,
        `${audience}/oauth/device_authorization`,
        ["code"],
        ["S256"],
        true,
        ["authorization_code", deviceGrant],
      ],
    );
  });

  // Last, as it uses up what this address may do for a minute.
  describe("a user code is found by trying", () => {
    it("never: after ten wrong ones in a minute a right one is not looked at", async () => {
      const { page } = await on.device();
      const tried: number[] = [];
      for (let tries = 0; tries < 12; tries++) tried.push((await new Browser().get(`${on.url}/oauth/device?user_code=BBBB-BBBB`)).status);
      assert.deepEqual([tried[0], tried.at(-1)], [401, 429]);
      assert.equal((await new Browser().get(page)).status, 429);
    });
  });
});
