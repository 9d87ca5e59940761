import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { Configuration } from "openid-client";
import { signInByBrowser } from "./browser-sign-in.ts";
import { signInByDevice } from "./device-sign-in.ts";
import type { IssuerChoice } from "./issuer-choice.ts";
import { discoverIssuer } from "./issuer-client.ts";
import { LoginIssuer } from "./login-issuer.fixture.ts";
import { canShowBrowser } from "./open-browser.ts";
import { refreshAt } from "./refresh.ts";
import { suitsDevice } from "./sign-in.ts";

describe("signing in at an issuer", () => {
  let issuer: LoginIssuer;
  let other: LoginIssuer;
  before(async () => {
    issuer = await LoginIssuer.start();
    other = await LoginIssuer.start();
  });
  after(() => Promise.all([issuer.stop(), other.stop()]));

  const choiceOf = ({ url, clientId }: LoginIssuer, scopes = ["openid"]): IssuerChoice => ({ issuer: url, clientId, scopes });

  /** Signs in by a browser that comes back as `returning` says. */
  const byBrowser = async (returning: (url: URL) => URL | Promise<URL> = (url) => url, choice = choiceOf(issuer), timeoutMs?: number) => {
    const answers: number[] = [];
    const visit = async (url: URL) => answers.push((await fetch(url)).status);
    const shown: string[] = [];
    const grant = signInByBrowser(
      choice,
      await discoverIssuer(choice),
      (url) => {
        shown.push(url);
        void issuer
          .browse(url)
          .then(returning)
          .then(visit)
          .catch(() => {});
      },
      timeoutMs,
    );
    return { ...(await grant), answers, shown };
  };

  it("by a browser ends with an ID token for this client, asked for with PKCE, state and nonce", async () => {
    const { idToken, refreshToken, shown } = await byBrowser();
    const { iss, sub, aud, groups, nonce } = decodeJwt(idToken);
    assert.deepEqual([iss, sub, aud, groups], [issuer.url, "alice", "sallyport", ["release-team"]]);
    assert.equal(refreshToken, undefined);
    const asked = new URL(shown[0] ?? "").searchParams;
    assert.equal(asked.get("code_challenge_method"), "S256");
    assert.equal(asked.get("nonce"), nonce);
    assert.ok((asked.get("state")?.length ?? 0) >= 22);
    assert.match(asked.get("redirect_uri") ?? "", /^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  });

  it("by a code on another device ends with one too, and a no with a refusal", async function () {
    this.timeout(30_000);
    const choice = choiceOf(issuer);
    const client = await discoverIssuer(choice);
    for (const says of ["yes", "no"] as const) {
      const lines: string[] = [];
      const write = process.stderr.write;
      process.stderr.write = ((text: string) => lines.push(text) > 0) as typeof write;
      try {
        const grant = signInByDevice(choice, client);
        grant.catch(() => {});
        while (!lines.some((line) => line.startsWith("or open"))) await new Promise((resolve) => setTimeout(resolve, 10));
        await issuer.confirmDevice(/or open (\S+)/.exec(lines.join("\n"))?.[1] ?? "", says);
        if (says === "yes") assert.equal(decodeJwt((await grant).idToken).sub, "alice");
        else await assert.rejects(grant, { reason: "UNAUTHENTICATED", message: /access_denied/ });
      } finally {
        process.stderr.write = write;
      }
    }
  });

  it("with offline_access is refreshed without her, once with each refresh token", async () => {
    const choice = choiceOf(issuer, ["openid", "offline_access"]);
    const first = await byBrowser(undefined, choice);
    const spent = first.refreshToken ?? assert.fail("no refresh token");
    const next = await refreshAt(choice, spent);
    assert.equal(decodeJwt(next.idToken).sub, "alice");
    assert.notEqual(next.refreshToken, spent);
    await assert.rejects(refreshAt(choice, spent), { reason: "UNAUTHENTICATED", message: /invalid_grant/ });
  });

  describe("TOKN-15: an answer that is not tied to the issuer where the sign-in began", () => {
    const changed = (change: (parameters: URLSearchParams) => void) => (url: URL) => {
      change(url.searchParams);
      return url;
    };
    const refused = (returning: (url: URL) => URL | Promise<URL>) =>
      assert.rejects(byBrowser(returning), (error: Error & { reason: string }) => {
        assert.equal(error.reason, "UNAUTHENTICATED", error.message);
        return true;
      });

    it("benign twin: one that names it exactly is taken", async () => {
      const { answers } = await byBrowser((url) => {
        assert.equal(url.searchParams.get("iss"), issuer.url);
        return url;
      });
      assert.deepEqual(answers, [200]);
    });

    it("is refused where it names another, or this one in another spelling", async () => {
      for (const iss of [other.url, `${issuer.url}/`, issuer.url.toUpperCase(), issuer.url.replace("127.0.0.1", "localhost"), ""]) {
        await refused(changed((parameters) => parameters.set("iss", iss)));
      }
    });

    it("is refused where it names none although the issuer always does, or two", async () => {
      await refused(changed((parameters) => parameters.delete("iss")));
      await refused(changed((parameters) => parameters.append("iss", issuer.url)));
      await refused(changed((parameters) => parameters.append("iss", other.url)));
    });

    it("is refused with another issuer's code, or a code twice", async () => {
      await refused(async (url) => {
        const elsewhere = new URLSearchParams(url.searchParams);
        const asked = `${other.url}/auth?${new URLSearchParams({
          client_id: "sallyport",
          response_type: "code",
          redirect_uri: url.origin + url.pathname,
          scope: "openid",
          code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
          code_challenge_method: "S256",
        })}`;
        elsewhere.set("code", (await other.browse(asked)).searchParams.get("code") ?? assert.fail("the other issuer gave no code"));
        url.search = elsewhere.toString();
        return url;
      });
      await refused(changed((parameters) => parameters.append("code", "another")));
    });

    it("with the state of another sign-in, or none, or two, is turned away, and the sign-in goes on", async () => {
      const turnedAway: number[] = [];
      const { idToken } = await byBrowser(async (url) => {
        const states: ((parameters: URLSearchParams) => void)[] = [
          (parameters) => parameters.set("state", "x".repeat(43)),
          (parameters) => parameters.delete("state"),
          (parameters) => parameters.append("state", "x".repeat(43)),
        ];
        for (const change of states) {
          const bent = new URL(url);
          change(bent.searchParams);
          turnedAway.push((await fetch(bent)).status);
        }
        turnedAway.push((await fetch(new URL("/elsewhere", url))).status);
        turnedAway.push((await fetch(url, { method: "POST" })).status);
        return url;
      });
      assert.deepEqual(turnedAway, [400, 400, 400, 404, 404]);
      assert.equal(decodeJwt(idToken).sub, "alice");
    });
  });

  it("gives up where nobody comes back in time", async () => {
    await assert.rejects(
      byBrowser(() => new Promise<URL>(() => {}), choiceOf(issuer), 300),
      { reason: "CANCELLED", message: /--device/ },
    );
  });

  it("says what is wrong with the issuer", async () => {
    await assert.rejects(discoverIssuer({ ...choiceOf(issuer), issuer: "http://127.0.0.1:1" }), { reason: "TARGET_UNAVAILABLE" });
    await assert.rejects(discoverIssuer({ ...choiceOf(issuer), issuer: `${issuer.url}/` }), {
      reason: "UNAUTHENTICATED",
      message: /exactly so/,
    });
    for (const url of ["http://idp.example", "file:///etc/passwd", "idp"]) {
      await assert.rejects(discoverIssuer({ ...choiceOf(issuer), issuer: url }), { reason: "INVALID_REQUEST" });
    }
  });

  it("is by a code for another device where nobody would see a browser, or the issuer has nothing else", async () => {
    const endpoints = { authorization_endpoint: "https://idp.example/auth", device_authorization_endpoint: "https://idp.example/device" };
    const at = (metadata: object) => new Configuration({ issuer: "https://idp.example", ...metadata }, "sallyport");
    const { authorization_endpoint, device_authorization_endpoint } = endpoints;
    for (const [metadata, seen, unseen] of [
      [endpoints, false, true],
      [{ ...endpoints, code_challenge_methods_supported: ["plain", "S256"] }, false, true],
      [{ ...endpoints, code_challenge_methods_supported: ["plain"] }, true, true],
      [{ device_authorization_endpoint }, true, true],
      [{ authorization_endpoint }, false, false],
    ] as const) {
      assert.deepEqual([suitsDevice(at(metadata), true), suitsDevice(at(metadata), false)], [seen, unseen], JSON.stringify(metadata));
    }
    await assert.rejects(
      signInByBrowser(choiceOf(issuer), at({ device_authorization_endpoint }), () => assert.fail("it opened a browser")),
      { reason: "INVALID_REQUEST", message: /--device/ },
    );
  });

  it("shows a browser only to who sits here", () => {
    assert.equal(canShowBrowser({ DISPLAY: ":0" }, "linux"), true);
    assert.equal(canShowBrowser({}, "linux"), false);
    assert.equal(canShowBrowser({}, "darwin"), true);
    assert.equal(canShowBrowser({ DISPLAY: ":10", SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22" }, "linux"), false);
  });
});
