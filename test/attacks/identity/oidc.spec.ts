import assert from "node:assert/strict";
import { KeyObject, sign as signBytes } from "node:crypto";
import fc from "fast-check";
import { CompactEncrypt, generateKeyPair, SignJWT } from "jose";
import { AuthnCore, idToken, newHolder, refuses } from "../../../services/authn/src/authn.fixture.ts";

/** Tokens and keys of an outside issuer, as somebody else would have them. */
describe("attacks on outside tokens and their issuer's keys", () => {
  let core: AuthnCore;
  before(async () => {
    core = await AuthnCore.open({ limits: { signInsPerMinute: 100_000 } });
  });
  after(() => core.close());

  const encode = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const now = () => Math.floor(core.clock.now() / 1000);
  const claims = (more: object = {}) => ({
    iss: core.issuer.url,
    aud: "sallyport",
    sub: "alice",
    iat: now(),
    exp: now() + 300,
    groups: ["release-team"],
    jti: crypto.randomUUID(),
    ...more,
  });
  /** Signed by the issuer's own key, whatever the header and the payload are. */
  const forge = (header: unknown, payload: unknown) => {
    const input = `${encode(header)}.${encode(payload)}`;
    const key = { key: KeyObject.from(core.issuer.privateKey("key-1") as never), dsaEncoding: "ieee-p1363" as const };
    return `${input}.${signBytes("sha256", Buffer.from(input), key).toString("base64url")}`;
  };
  const header = { alg: "ES256", kid: "key-1" };
  const signIn = (subjectToken: string) => core.signIn({ subjectToken });

  it("the benign twin: a token of the issuer's, forged by no one, signs in", async () => {
    assert.equal((await signIn(forge(header, claims()))).credential.chain.links[0].id, "corp/alice");
  });

  describe("by the header", () => {
    const headers: Record<string, object> = {
      "a critical extension that is not known": { crit: ["x"], x: 1 },
      "an empty list of critical extensions": { crit: [] },
      "a payload that is not encoded (RFC 7797)": { crit: ["b64"], b64: false },
      "a token inside the token": { cty: "JWT" },
      "a token inside the token, spelt otherwise": { cty: "application/jwt" },
      "a token of another purpose": { typ: "at+jwt" },
      "a type that is no text": { typ: ["JWT"] },
      "an algorithm that is no text": { alg: ["ES256"] },
      "an algorithm in lower case": { alg: "es256" },
      "an algorithm that the issuer does not use": { alg: "ES384" },
      "a symmetric algorithm": { alg: "HS256" },
      "an algorithm that is not there": { alg: undefined },
      "a key id that is an object": { kid: { toString: "key-1" } },
      "a key id of another key": { kid: "key-2" },
      "a key id that is a query": { kid: "key-1' OR '1'='1" },
      "a key id that is an address": { kid: "http://127.0.0.1:1/key" },
    };
    for (const [what, change] of Object.entries(headers))
      it(what, () => refuses("UNAUTHENTICATED", signIn(forge({ ...header, ...change }, claims()))));

    it("two algorithms, one of them none", () =>
      refuses("UNAUTHENTICATED", signIn(forge('{"alg":"none","alg":"ES256x","kid":"key-1"}', claims()))));
  });

  describe("by the form", () => {
    const good = () => forge(header, claims());
    const forms: Record<string, () => string | Promise<string>> = {
      "no signature": () => good().replace(/[^.]+$/, ""),
      "a signature of zeros": () => good().replace(/[^.]+$/, encode(Buffer.alloc(64).toString("latin1"))),
      "a signature in DER": () => {
        const [head, body] = good().split(".");
        const key = KeyObject.from(core.issuer.privateKey("key-1") as never);
        return `${head}.${body}.${signBytes("sha256", Buffer.from(`${head}.${body}`), key).toString("base64url")}`;
      },
      "four parts": () => `${good()}.x`,
      "five parts: an encrypted token": async () => {
        const { publicKey } = await generateKeyPair("RSA-OAEP-256");
        return new CompactEncrypt(Buffer.from(good())).setProtectedHeader({ alg: "RSA-OAEP-256", enc: "A256GCM" }).encrypt(publicKey);
      },
      "the JSON serialization": () => {
        const [protectedHeader, payload, signature] = good().split(".");
        return JSON.stringify({ payload, protected: protectedHeader, signature });
      },
      "spaces around it": () => ` ${good()}`,
      "padding behind it": () => `${good()}==`,
      "a payload that is a list": () => forge(header, [claims()]),
      "a payload that is a text": () => forge(header, '"alice"'),
      "a payload that is another token": () => forge(header, good()),
      "a payload that is not UTF-8": () => {
        const input = `${encode(header)}.${Buffer.from(JSON.stringify(claims({ sub: "al\u00efce" })), "latin1").toString("base64url")}`;
        const key = { key: KeyObject.from(core.issuer.privateKey("key-1") as never), dsaEncoding: "ieee-p1363" as const };
        return `${input}.${signBytes("sha256", Buffer.from(input), key).toString("base64url")}`;
      },
      "a token of Sallyport's own": async () => (await signIn(good())).token,
    };
    for (const [what, make] of Object.entries(forms)) it(what, async () => void (await refuses("UNAUTHENTICATED", signIn(await make()))));
  });

  describe("by the claims", () => {
    const bad: Record<string, object> = {
      "an issuer with a slash more": { iss: `${"http://127.0.0.1"}/` },
      "a list of issuers": { iss: ["corp"] },
      "an audience with a space": { aud: "sallyport " },
      "an audience in upper case": { aud: "SALLYPORT" },
      "one audience too many": { aud: ["sallyport", "evil"] },
      "no audience": { aud: [] },
      "an audience that is an object": { aud: { sallyport: "sallyport" } },
      "a subject that is a list": { sub: ["alice"] },
      "a subject that is a number": { sub: 7 },
      "no subject": { sub: undefined },
      "an expiry in the past": { exp: 1 },
      "an expiry in a text": { exp: "99999999999" },
      "no expiry": { exp: undefined },
      "a beginning in the future": { nbf: 99_999_999_999 },
      "groups that are a text": { groups: "admins" },
      "groups that are an object": { groups: { admins: true } },
      "a logout token's events": { events: {} },
    };
    for (const [what, change] of Object.entries(bad)) it(what, () => refuses("UNAUTHENTICATED", signIn(forge(header, claims(change)))));

    for (const sub of ["al ice", "alice#root", "alice\u202e", "a\u0000b", "alice\n", "\u212blice", "x".repeat(201)])
      it(`a subject that is no name: ${JSON.stringify(sub).slice(0, 30)}`, () =>
        assert.rejects(signIn(forge(header, claims({ sub }))), { name: "Refusal" }));

    it("a subject that climbs into another provider stays in its own", async () => {
      const { credential } = await signIn(forge(header, claims({ sub: "../ops/alice" })));
      assert.ok(credential.chain.links[0].id.startsWith("corp/"));
    });
  });

  describe("by showing it again", () => {
    it("with another key, on whatever replica, the signature spelt otherwise", async () => {
      const token = forge(header, claims({ jti: "shown-1" }));
      await signIn(token);
      await refuses("UNAUTHENTICATED", core.signIn({ subjectToken: token }, newHolder()), /another key/);
      await refuses(
        "UNAUTHENTICATED",
        core.signIn({ subjectToken: forge(header, claims({ jti: "shown-1" })) }, newHolder()),
        /another key/,
      );
      const plain = claims({ jti: undefined, nonce: crypto.randomUUID() });
      await signIn(forge(header, plain));
      await refuses("UNAUTHENTICATED", core.signIn({ subjectToken: forge(header, plain) }, newHolder()), /another key/);
    });

    it("for what it is not: another type of token", async () => {
      for (const subjectTokenType of [
        "urn:ietf:params:oauth:token-type:saml2",
        "urn:ietf:params:oauth:token-type:refresh_token",
        "urn:sallyport:token-type:saml-code",
        `${idToken} `,
      ])
        await refuses("INVALID_REQUEST", core.signIn({ subjectToken: forge(header, claims()), subjectTokenType }));
    });
  });

  describe("by the key set", () => {
    const withKeys = async (keys: unknown[]) => {
      core.issuer.answer = (_request, response) => response.end(JSON.stringify({ keys }));
      core.clock.pass(10 * 60_000);
      return signIn(forge(header, claims())).finally(() => {
        core.issuer.answer = undefined;
        core.clock.pass(10 * 60_000);
      });
    };
    const [published] = [() => core.issuer.keySet().keys[0] as Record<string, unknown>];
    const bad: Record<string, () => unknown> = {
      "the key for encryption only": () => ({ ...published(), use: "enc" }),
      "the key of another algorithm": () => ({ ...published(), alg: "ES384" }),
      "the key of another curve": () => ({ ...published(), crv: "P-384" }),
      "the key for signing, not for verifying": () => ({ ...published(), key_ops: ["sign"] }),
      "the key with its private part": () => ({ ...published(), d: "AA" }),
      "a symmetric key of its name": () => ({ kty: "oct", k: "AAAA", kid: "key-1" }),
    };
    for (const [what, make] of Object.entries(bad)) {
      it(`${what} beside a good one of another name: the token is refused`, async () => {
        const { publicKey } = await generateKeyPair("ES256", { extractable: true });
        const other = { ...(await crypto.subtle.exportKey("jwk", publicKey)), kid: "key-other", alg: "ES256", use: "sig" };
        await refuses("UNAUTHENTICATED", withKeys([make(), other]), /no key/);
      });
    }

    it("the key twice, once by a stranger: neither is chosen", async () => {
      const { publicKey } = await generateKeyPair("ES256", { extractable: true });
      const stranger = { ...(await crypto.subtle.exportKey("jwk", publicKey)), kid: "key-1" };
      await refuses("UNAUTHENTICATED", withKeys([stranger, published()]), /does not say which/);
    });
  });

  it("by changing any one character of a token: never anybody", async function () {
    this.timeout(60_000);
    const token = await new SignJWT(claims({ jti: "mutated" })).setProtectedHeader(header).sign(core.issuer.privateKey("key-1"));
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(..."AZaz09-_.= \u0000"), async (at, character) => {
        const mutated = token.slice(0, at) + character + token.slice(at + 1);
        fc.pre(mutated !== token);
        const outcome = await signIn(mutated).then(
          () => "signed in",
          (error) => error.name,
        );
        // The last character of a signature holds bits that decode to nothing: it is the same token, which the same key may show.
        const bytes = (text: string) => text.split(".").map((part) => Buffer.from(part, "base64url").toString("hex"));
        if (outcome === "signed in") assert.deepEqual(bytes(mutated), bytes(token));
        else assert.equal(outcome, "Refusal", mutated);
      }),
      { numRuns: Number(process.env.SALLYPORT_FUZZ_RUNS ?? 300), seed: 27 },
    );
  });
});
