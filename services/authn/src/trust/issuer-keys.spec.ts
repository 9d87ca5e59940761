import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { idToken, refuses, ShiftedClock } from "../authn.fixture.ts";
import { discoverJwksUri, secureUrl } from "./discovery.ts";
import { issuerFetch } from "./fetch-json.ts";
import { keyTimes } from "./issuer-keys.ts";
import { LoopbackIssuer } from "./loopback-issuer.fixture.ts";
import { TrustProviders } from "./trust-providers.ts";

describe("TOKN-11: an issuer's keys", () => {
  let issuer: LoopbackIssuer;
  let clock: ShiftedClock;
  let providers: TrustProviders;
  beforeEach(async () => {
    issuer = await LoopbackIssuer.open();
    clock = new ShiftedClock();
    const provider = {
      name: "corp",
      issuer: issuer.url,
      audiences: ["sallyport"],
      algorithms: ["ES256", "EdDSA"],
      kind: "person" as const,
      claims: { subject: "sub" },
      singleUse: false,
      skewSeconds: 60,
    };
    providers = new TrustProviders([{ provider, fetchJson: issuerFetch("corp", ["127.0.0.1/32"], 300) }], clock);
  });
  afterEach(() => issuer.close());

  const life = { exp: Math.floor(Date.now() / 1000) + 86_400 };
  const verify = async (kid = "key-1") => providers.verify(await issuer.token(life, { kid }), idToken);
  const text =
    (body: string, status = 200): RequestListener =>
    (_request, response) =>
      response.writeHead(status).end(body);

  it("are asked for once, however many tokens arrive together", async () => {
    await Promise.all(Array.from({ length: 20 }, () => verify()));
    assert.equal(issuer.asked, 1);
  });

  it("are not asked for again for each key id that somebody makes up", async () => {
    const genuine = await issuer.token(life);
    await providers.verify(genuine, idToken);
    const [, payload, signature] = genuine.split(".");
    const madeUp = Array.from(
      { length: 300 },
      (_, n) => `${Buffer.from(`{"alg":"ES256","kid":"made-up-${n}"}`).toString("base64url")}.${payload}.${signature}`,
    );
    for (const token of madeUp) await refuses("UNAUTHENTICATED", providers.verify(token, idToken));
    assert.ok(issuer.asked <= 2, `asked ${issuer.asked} times`);
  });

  it("that are new work within seconds", async () => {
    await verify();
    await issuer.addKey("key-2");
    clock.pass(keyTimes.pauseMs);
    await verify("key-2");
  });

  it("that were withdrawn stop working within minutes", async () => {
    await verify();
    const token = await issuer.token(life);
    issuer.removeKey("key-1");
    await issuer.addKey("key-2");
    clock.pass(keyTimes.freshMs + 1);
    await refuses("UNAUTHENTICATED", providers.verify(token, idToken), /no key/);
  });

  for (const [what, answer] of Object.entries({
    "a 500": text("oops", 500),
    "an HTML page": text("<html>sign in</html>"),
    "an empty key set": text('{"keys":[]}'),
    "a key set of bad keys": text('{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"key-1"},7,null]}'),
    "an error object": text('{"error":"unavailable"}'),
    "a redirect": ((_request, response) => response.writeHead(302, { location: "/elsewhere" }).end()) as RequestListener,
    "a cut connection": ((request) => request.socket.destroy()) as RequestListener,
  })) {
    it(`serve on when the issuer answers with ${what}, but not for ever`, async () => {
      await verify();
      issuer.answer = answer;
      clock.pass(keyTimes.freshMs + 1);
      await verify();
      clock.pass(keyTimes.keepMs);
      await refuses("TARGET_UNAVAILABLE", verify(), /signing keys/);
      issuer.answer = undefined;
      clock.pass(keyTimes.pauseMs);
      await verify();
    });
  }

  it("serve on while the issuer hangs, and only the first caller waits for it", async () => {
    await verify();
    issuer.answer = () => undefined;
    clock.pass(keyTimes.freshMs + 1);
    await verify();
    clock.pass(keyTimes.pauseMs);
    const before = performance.now();
    await verify();
    assert.ok(performance.now() - before < 200);
  });

  it("are used though a bad one is among them", async () => {
    const good = issuer.keySet().keys;
    issuer.answer = text(
      JSON.stringify({
        keys: [{ kty: "oct", k: "AAAA", kid: "key-1" }, { kty: "EC", crv: "P-256", x: "!", y: "!", kid: "bad" }, "x", ...good],
      }),
    );
    await verify();
  });

  it("need no kid where there is one key only, and need it where there are two", async () => {
    await providers.verify(await issuer.token(life, { kid: undefined }), idToken);
    await issuer.addKey("key-2");
    clock.pass(keyTimes.freshMs + 1);
    await refuses("UNAUTHENTICATED", providers.verify(await issuer.token(life, { kid: undefined }), idToken), /kid/);
  });

  it("are reached by https only, but for an issuer on this machine", () => {
    for (const url of ["https://idp.example", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"]) secureUrl(url);
    for (const url of ["http://idp.example", "http://127.0.0.1.evil.example", "file:///etc/passwd", "https://user:pw@idp.example"]) {
      assert.throws(() => secureUrl(url), url);
    }
  });

  it("are not taken from a discovery document that names another issuer, or leads out of https", async () => {
    const document = (answer: unknown) => discoverJwksUri("https://idp.example/", async () => answer);
    await assert.rejects(document({ issuer: "https://idp.example", jwks_uri: "https://idp.example/jwks" }), /another issuer/);
    await assert.rejects(document({ issuer: "https://idp.example/", jwks_uri: "http://idp.example/jwks" }), /https/);
    await assert.rejects(document({ issuer: "https://idp.example/" }), /jwks_uri/);
    await assert.rejects(document(null), /another issuer/);
  });

  it("behind an address that is not allowed are not asked for", async () => {
    const closed = issuerFetch("corp", []);
    await assert.rejects(closed(new URL(`${issuer.url}/jwks`)));
    assert.equal(issuer.asked, 0);
  });
});
