import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { idToken, refuses, ShiftedClock } from "../authn.fixture.ts";
import { issuerFetch } from "./fetch-json.ts";
import { LoopbackIssuer } from "./loopback-issuer.fixture.ts";
import type { TrustProvider } from "./trust-provider.ts";
import { TrustProviders } from "./trust-providers.ts";

describe("verifying an outside token", () => {
  let issuer: LoopbackIssuer;
  before(async () => {
    issuer = await LoopbackIssuer.open();
  });
  after(() => issuer.close());

  const providers = (changes: Partial<TrustProvider> = {}) =>
    new TrustProviders(
      [{ provider: { ...corp(issuer.url), ...changes }, fetchJson: issuerFetch("corp", ["127.0.0.1/32"]) }],
      new ShiftedClock(),
    );
  const verify = (token: string, changes?: Partial<TrustProvider>) => providers(changes).verify(token, idToken);
  const now = () => Math.floor(Date.now() / 1000);

  it("takes a good token, and tells who it is in Sallyport's words", async () => {
    const { principal, groups } = await verify(await issuer.token());
    assert.equal(principal, "corp/alice");
    assert.deepEqual(groups, ["corp/release-team"]);
  });

  it("refuses an issuer that is not configured, however it is spelled", async () => {
    for (const iss of [`${issuer.url}/`, issuer.url.toUpperCase(), "https://evil.example"]) {
      await refuses("UNAUTHENTICATED", verify(await issuer.token({ iss })), /issuer/);
    }
  });

  it("refuses what is not a JWT, and what is too large", async () => {
    for (const token of ["x", "a.b", "a.b.c", "....", "e30.e30.e30"]) await refuses("UNAUTHENTICATED", verify(token));
    await refuses("TOO_LARGE", verify("a".repeat(20_000)));
  });

  describe("its audience", () => {
    const audiences = (token: string) => verify(token, { audiences: ["sallyport", "sallyport-ci"] });

    it("may be any of those that are configured, alone or together", async () => {
      for (const aud of ["sallyport", "sallyport-ci", ["sallyport", "sallyport-ci"]]) await audiences(await issuer.token({ aud }));
    });

    it("is refused where it is another, absent, or also someone else's", async () => {
      for (const aud of ["other", [], undefined, ["sallyport", "other"], [7], { sallyport: true }]) {
        await refuses("UNAUTHENTICATED", audiences(await issuer.token({ aud: aud as string })), /audience/);
      }
    });
  });

  describe("TOKN-07: the algorithm and the key are pinned", () => {
    const unsigned = (header: object, payload: object) => `${encode(header)}.${encode(payload)}`;
    const claims = () => ({ iss: issuer.url, aud: "sallyport", sub: "mallory", iat: now(), exp: now() + 300 });

    it("refuses `none` in every spelling", async () => {
      for (const alg of ["none", "None", "nOnE", ""]) await refuses("UNAUTHENTICATED", verify(`${unsigned({ alg }, claims())}.`));
    });

    it("refuses HS256 made with the bytes of the public key", async () => {
      const pem = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" });
      for (const secret of [pem, `\n  ${pem}`, JSON.stringify(issuer.keySet().keys[0])]) {
        const input = unsigned({ alg: "HS256", kid: "key-1" }, claims());
        const mac = createHmac("sha256", secret).update(input).digest("base64url");
        await refuses("UNAUTHENTICATED", verify(`${input}.${mac}`), /algorithm/);
        // Even a provider that was configured with it by mistake finds no key for it.
        await refuses("UNAUTHENTICATED", verify(`${input}.${mac}`, { algorithms: ["ES256", "HS256"] }));
      }
    });

    it("refuses an RS256 token where the issuer's key is an EC key", async () => {
      const { privateKey } = await generateKeyPair("RS256");
      const token = await new SignJWT(claims()).setProtectedHeader({ alg: "RS256", kid: "key-1" }).sign(privateKey);
      await refuses("UNAUTHENTICATED", verify(token, { algorithms: ["ES256", "RS256"] }), /no key/);
    });

    it("ignores keys that the token brings along, or points to", async () => {
      const { privateKey, publicKey } = await generateKeyPair("ES256");
      const jwk = await exportJWK(publicKey);
      for (const extra of [{ jwk }, { jku: `${issuer.url}/evil` }, { x5u: `${issuer.url}/evil` }, { x5c: ["AAAA"] }]) {
        const token = await new SignJWT(claims()).setProtectedHeader({ alg: "ES256", kid: "key-1", ...extra }).sign(privateKey);
        await refuses("UNAUTHENTICATED", verify(token), /signature/);
        await verify(await issuer.token({}, extra)); // and they do no harm to a good token
      }
    });

    it("refuses a kid that is a path, and one that is no text", async () => {
      const token = await new SignJWT(claims())
        .setProtectedHeader({ alg: "ES256", kid: "../../dev/null" })
        .sign(issuer.privateKey("key-1"));
      await refuses("UNAUTHENTICATED", verify(token), /no key/);
      await refuses("UNAUTHENTICATED", verify(`${unsigned({ alg: "ES256", kid: 7 }, claims())}.AAAA`), /key id/);
    });

    it("refuses a signature by another key under a good name", async () => {
      const { privateKey } = await generateKeyPair("ES256");
      const token = await new SignJWT(claims()).setProtectedHeader({ alg: "ES256", kid: "key-1" }).sign(privateKey);
      await refuses("UNAUTHENTICATED", verify(token), /signature/);
    });

    it("the benign twin: a token of the pinned algorithm by the published key", async () => void (await verify(await issuer.token())));
  });

  describe("TOKN-17: its times", () => {
    const at = (changes: object) => issuer.token({ iat: now(), exp: now() + 300, ...changes });

    it("may be off by the skew, either way", async () => {
      for (const changes of [{ iat: now() + 5 }, { nbf: now() + 10 }, { iat: now() + 58, nbf: now() + 58 }, { exp: now() - 5 }])
        await verify(await at(changes));
    });

    it("are refused beyond it", async () => {
      for (const changes of [{ iat: now() + 65 }, { nbf: now() + 65 }, { iat: now() + 315_360_000 }, { exp: now() - 61 }]) {
        await refuses("UNAUTHENTICATED", verify(await at(changes)));
      }
    });

    it("are refused where they are no whole seconds, or absent, or absurd", async () => {
      for (const exp of ["1700000000", now() + 100.5, -1, undefined, null, true, [now() + 300], now() + 500 * 86_400]) {
        await refuses("UNAUTHENTICATED", verify(await at({ exp })));
      }
      // JSON has no text for 1e308 that SignJWT would write as it is given.
      const input = `${encode({ alg: "ES256", kid: "key-1" })}.${Buffer.from(`{"iss":"${issuer.url}","aud":"sallyport","sub":"a","exp":1e308}`).toString("base64url")}`;
      const { sign } = await import("node:crypto");
      const { KeyObject } = await import("node:crypto");
      const signature = sign("sha256", Buffer.from(input), {
        key: KeyObject.from(issuer.privateKey("key-1") as never),
        dsaEncoding: "ieee-p1363",
      });
      await refuses("UNAUTHENTICATED", verify(`${input}.${signature.toString("base64url")}`), /`exp`/);
    });
  });

  describe("TOKN-01: its `act` claim decides nothing", () => {
    it("is refused as malformed in every wrong type, and beyond sixteen deep", async () => {
      let deep: object = { sub: "a" };
      for (let n = 0; n < 500; n++) deep = { sub: "a", act: deep };
      for (const act of ["root-agent", [], [{ sub: "a" }], null, { sub: 7 }, { act: {} }, {}, deep]) {
        await refuses("INVALID_REQUEST", verify(await issuer.token({ act })), /act/);
      }
    });

    it("the benign twin: a well-formed one is passed over", async () => {
      const { principal } = await verify(
        await issuer.token({ act: { sub: "root", exp: 1, aud: "x", act: { sub: "other", iss: "https://x" } } }),
      );
      assert.equal(principal, "corp/alice");
    });
  });

  it("refuses a token that was made for another purpose", async () => {
    for (const typ of ["at+jwt", "logout+jwt", "dpop+jwt", "application/secevent+jwt"])
      await refuses("UNAUTHENTICATED", verify(await issuer.token({}, { typ })), /purpose/);
    await refuses("UNAUTHENTICATED", verify(await issuer.token({ events: {} })), /purpose/);
    for (const typ of ["JWT", "jwt", "application/jwt"]) await verify(await issuer.token({}, { typ }));
  });

  describe("its claims", () => {
    it("name the subject, by the claim that is configured", async () => {
      const { principal } = await verify(await issuer.token({ repository: "acme/orders" }), { claims: { subject: "repository" } });
      assert.equal(principal, "corp/acme/orders");
    });

    it("are refused where the subject cannot be a name", async () => {
      for (const sub of ["", undefined, 7, "a b", "a#b", "a\u200bb", "a\nb", "x".repeat(300), "e\u0301"]) {
        await assert.rejects(verify(await issuer.token({ sub: sub as string })), { name: "Refusal" });
      }
    });

    it("name groups, each kept under the provider's name and found by a dotted path too", async () => {
      const token = await issuer.token({ groups: undefined, realm_access: { roles: ["a", "b", "a"] } });
      assert.deepEqual((await verify(token, { claims: { subject: "sub", groups: "realm_access.roles" } })).groups, ["corp/a", "corp/b"]);
    });

    it("are no groups where there is no such claim, and refused where it is no list of names", async () => {
      assert.deepEqual((await verify(await issuer.token({ groups: undefined }))).groups, []);
      for (const groups of ["admins", { admins: true }, [1], null])
        await refuses("UNAUTHENTICATED", verify(await issuer.token({ groups })), /groups/);
    });

    it("are refused where the groups stand elsewhere, as too many to send", async () => {
      const token = await issuer.token({ groups: undefined, _claim_names: { groups: "src1" } });
      await refuses("UNAUTHENTICATED", verify(token), /too many/);
    });
  });
});

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

const corp = (issuer: string): TrustProvider => ({
  name: "corp",
  issuer,
  audiences: ["sallyport"],
  algorithms: ["ES256"],
  kind: "person",
  claims: { subject: "sub", groups: "groups" },
  singleUse: false,
  skewSeconds: 60,
});
