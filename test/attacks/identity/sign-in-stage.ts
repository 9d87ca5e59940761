import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { ProofMaker } from "@sallyport/identity";
import type { JWTPayload } from "jose";
import { LoopbackIssuer } from "../../../services/authn/src/trust/loopback-issuer.fixture.ts";
import { LocalIdp } from "../../../services/authn/src/trust/saml/local-idp.fixture.ts";
import { freePorts } from "../../demo/free-port.ts";
import { removeScratch, scratchFolder } from "../../support/process/scratch.ts";
import { audience, Stage } from "./stage.ts";

export const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

export const redirectUri = "http://127.0.0.1:8123/callback";

/** What a command line asks for a code with; what is set to undefined is left out. */
export function authorizationRequest(
  maker: ProofMaker,
  verifier: string,
  changes: Record<string, string | undefined> = {},
): URLSearchParams {
  const whole = {
    response_type: "code",
    client_id: "sallyport-cli",
    redirect_uri: redirectUri,
    state: "its own state",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    dpop_jkt: maker.thumbprint,
    ...changes,
  };
  return new URLSearchParams(Object.entries(whole).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** A browser: a cookie jar, and an address that it comes from with what it sends. */
export class Browser {
  readonly cookies = new Map<string, string>();

  async get(url: string, headers: Record<string, string> = {}) {
    return this.#sent(url, { headers });
  }

  async post(url: string, form: Record<string, string>, headers: Record<string, string> = {}) {
    return this.#sent(url, { method: "POST", body: new URLSearchParams(form), headers: { origin: new URL(url).origin, ...headers } });
  }

  async #sent(url: string, init: RequestInit & { headers: Record<string, string> }) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...(cookie === "" ? {} : { cookie }), ...init.headers };
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.cookies.set(name, value);
    }
    const location = response.headers.get("location");
    return {
      status: response.status,
      headers: response.headers,
      text: await response.text(),
      location: location === null ? undefined : new URL(location),
    };
  }
}

/** What a page's form would send, but for the button. */
export const hiddenFields = (page: string): Record<string, string> =>
  Object.fromEntries([...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(([, name, value]) => [name, value]));

/** The ID of the SAML request with which a browser is sent to an identity provider. */
export function requestIn(sentTo: URL): string {
  const xml = inflateRawSync(Buffer.from(sentTo.searchParams.get("SAMLRequest") ?? "", "base64")).toString();
  return / ID="([^"]+)"/.exec(xml)?.[1] ?? assert.fail(xml);
}

/** The name of the rule by which a page refuses; fails where it does not. */
export const ruleOn = (page: string): string => /<code>[A-Z_]+ \(([a-z-]+)\)<\/code>/.exec(page)?.[1] ?? assert.fail(textOf(page));

/** What a person reads on a page. */
export const textOf = (page: string): string => /<h1>.*<\/main>/s.exec(page)?.[0].replace(/<[^>]*>/g, " ") ?? page;

/** authn where people sign in at its own page, and two issuers that are told what they answer. */
export class SignInStage {
  stage!: Stage;
  other!: LoopbackIssuer;
  idp!: LocalIdp;
  url!: string;
  readonly folder = scratchFolder("sign-in");
  /** What the next ID token of an issuer says beside the usual, by the code that was shown for it. */
  readonly claims = new Map<string, JWTPayload & Record<string, unknown>>();
  /** What the token endpoints were sent. */
  readonly asked: { readonly form: URLSearchParams; readonly authorization: string | undefined }[] = [];

  static async open(): Promise<SignInStage> {
    const on = new SignInStage();
    const [port] = await freePorts(1);
    on.url = `http://127.0.0.1:${port}`;
    on.other = await LoopbackIssuer.open();
    on.other.metadata = { authorization_response_iss_parameter_supported: true };
    on.idp = await LocalIdp.open();
    on.idp.acs = `${on.url}/saml/staff/acs`;
    const metadata = join(on.folder, "idp.xml");
    writeFileSync(metadata, on.idp.metadata());
    const secret = join(on.folder, "client-secret");
    writeFileSync(secret, "a secret of authn's own\n");
    const signIn = `signIn: { clientId: sallyport, clientSecret: "file:${secret}", scopes: [groups] }`;
    on.stage = await Stage.open({
      edgePort: port as number,
      provider: `, ${signIn}`,
      providers: [
        `{ name: other, issuer: "${on.other.url}", audience: sallyport, algorithms: [ES256], groups: { claim: groups }, network: [127.0.0.0/8], ${signIn} }`,
      ],
      trust: `, saml: [{ name: staff, acs: "${on.idp.acs}", idp: "${on.idp.entityId}", entityId: "${on.idp.audience}", metadata: "${metadata}", spInitiated: true, groups: { attribute: groups } }]`,
      authn: `, signIn: { url: "${on.url}", clients: [{ id: console, redirectUris: ["https://console.example/callback"] }] }`,
    });
    for (const issuer of [on.stage.issuer, on.other]) on.#answerAt(issuer);
    return on;
  }

  /** Whoever shows a code gets the claims that were put under it. */
  #answerAt(issuer: LoopbackIssuer): void {
    issuer.tokens = (request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", async () => {
        const form = new URLSearchParams(Buffer.concat(pieces).toString());
        this.asked.push({ form, authorization: request.headers.authorization });
        const claims = this.claims.get(form.get("code") ?? "");
        const answer =
          claims === undefined
            ? { error: "invalid_grant" }
            : { access_token: "x", token_type: "Bearer", id_token: await issuer.token({ jti: crypto.randomUUID(), ...claims }) };
        response.writeHead(claims === undefined ? 400 : 200).end(JSON.stringify(answer));
      });
    };
  }

  /** Signs alice in where the browser was sent to. @returns where it comes back to */
  comesBack(sentTo: URL, claims: JWTPayload & Record<string, unknown> = {}, more: Record<string, string> = {}): string {
    const code = crypto.randomUUID();
    this.claims.set(code, { nonce: sentTo.searchParams.get("nonce") ?? "", ...claims });
    const back = new URL(sentTo.searchParams.get("redirect_uri") ?? "");
    for (const [name, value] of Object.entries({ code, state: sentTo.searchParams.get("state") ?? "", iss: this.#issuerOf(back), ...more }))
      back.searchParams.set(name, value);
    return back.href;
  }

  #issuerOf({ pathname }: URL): string {
    return pathname.endsWith("/other") ? this.other.url : this.stage.issuer.url;
  }

  /** What the SAML identity provider says of alice. */
  samlResponse(sentTo: URL): Promise<string> {
    return this.idp.response({ inResponseTo: requestIn(sentTo) });
  }

  /** Alice signs in at the SAML identity provider. @returns where the browser goes from our own address for its responses */
  async respondsBySaml(sentTo: URL): Promise<string> {
    // A form of the identity provider's: no cookie of ours comes with it.
    const answer = await new Browser().post(
      this.idp.acs,
      { SAMLResponse: await this.samlResponse(sentTo) },
      { origin: "https://idp.example" },
    );
    return answer.location?.href ?? assert.fail(textOf(answer.text));
  }

  /** A code that was asked for by a key, as far as the browser is sent to sign in. */
  async authorize(
    changes: Record<string, string | undefined> = {},
    browser = new Browser(),
    button: Record<string, string> = { provider: "corp" },
  ) {
    const maker = ProofMaker.generate();
    const verifier = randomBytes(32).toString("base64url");
    const asks = authorizationRequest(maker, verifier, changes);
    const asked = await browser.get(`${this.url}/oauth/authorize?${asks}`);
    const sent =
      asked.status === 200 ? await browser.post(`${this.url}/oauth/authorize`, { ...hiddenFields(asked.text), ...button }) : asked;
    return { maker, verifier, asks, browser, asked, sent };
  }

  /** A code for a key that alice signed in for. */
  async code() {
    const begun = await this.authorize();
    const back = (await begun.browser.get(this.comesBack(begun.sent.location as URL))).location as URL;
    return { ...begun, back, code: back.searchParams.get("code") ?? assert.fail(back.href) };
  }

  redeem({ code, verifier, maker }: { code: string; verifier: string; maker: ProofMaker }, more: Record<string, string> = {}) {
    const form = {
      grant_type: "authorization_code",
      client_id: "sallyport-cli",
      redirect_uri: redirectUri,
      code,
      code_verifier: verifier,
      ...more,
    };
    return this.post("token", form, maker);
  }

  /** A proven POST to an endpoint. */
  async post(path: string, form: Record<string, string>, maker: ProofMaker) {
    const body = new URLSearchParams(form).toString();
    await this.stage.learnNonce(maker);
    const dpop = maker.prove({ htu: `${audience}/oauth/${path}`, request: Buffer.from(body) });
    const headers = { "content-type": "application/x-www-form-urlencoded", dpop };
    const response = await fetch(`${this.url}/oauth/${path}`, { method: "POST", body, headers });
    return { status: response.status, answer: (await response.json()) as Record<string, string> };
  }

  /** A device code, for a key. */
  async device(maker = ProofMaker.generate()) {
    const { status, answer } = await this.post("device_authorization", { client_id: "sallyport-cli" }, maker);
    assert.equal(status, 200, JSON.stringify(answer));
    return {
      maker,
      code: answer.device_code as string,
      userCode: answer.user_code as string,
      page: answer.verification_uri_complete as string,
      answer,
    };
  }

  poll(code: string, maker: ProofMaker, more: Record<string, string> = {}) {
    return this.post("token", { grant_type: deviceGrant, client_id: "sallyport-cli", device_code: code, ...more }, maker);
  }

  /** A person opens the page, compares the code and goes to sign in. @returns where they are sent */
  async confirm(page: string, browser = new Browser(), button: Record<string, string> = { provider: "corp" }) {
    const asked = await browser.get(page);
    assert.equal(asked.status, 200, textOf(asked.text));
    const sent = await browser.post(page.replace(/\?.*/, ""), { ...hiddenFields(asked.text), ...button });
    return { browser, asked, sent };
  }

  async close(): Promise<void> {
    await this.stage.close();
    await this.other.close();
    removeScratch(this.folder);
  }
}
