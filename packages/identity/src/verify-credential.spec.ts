import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { audience, authnKey, deployChain, issued, issuer, signedAnyhow, someClaims, someFacts } from "./credential.fixture.ts";
import {
  CredentialCache,
  type CredentialFault,
  CredentialKeys,
  credentialClaims,
  sha256,
  signCredential,
  verifyCredential,
} from "./index.ts";

const authn = authnKey();
const at = (seconds: number) => ({ keys: authn.keys, issuer, audience, now: seconds * 1000 });

function isRefused(token: string, why: CredentialFault, expected: Parameters<typeof verifyCredential>[1] = at(issued), hint = "") {
  const verification = verifyCredential(token, expected);
  assert.equal(verification.kind === "refused" ? verification.why : "verified", why, hint);
}

function isVerified(token: string, expected: Parameters<typeof verifyCredential>[1] = at(issued)) {
  const verification = verifyCredential(token, expected);
  assert.equal(verification.kind, "verified", verification.kind === "refused" ? verification.sentence : "");
  return (verification as Extract<typeof verification, { kind: "verified" }>).credential;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a credential", () => {
  it("comes back as it was issued", async () => {
    const facts = someFacts();
    const credential = isVerified(await signCredential(credentialClaims(facts), authn));
    const { id, sid, notBefore, provider, ...rest } = credential;
    assert.deepEqual(rest, facts);
    assert.deepEqual([sid, provider, notBefore, id.length], [facts.chain.links[2]?.sid, "corp", undefined, 22]);
  });

  it("says in `act` who acts for whom, for other readers", () => {
    assert.deepEqual(credentialClaims(someFacts()).act, { sub: "corp/alice#release/deploy", act: { sub: "corp/alice#release" } });
  });

  it("whose claims contradict each other is neither issued nor accepted", async () => {
    assert.throws(() => credentialClaims(someFacts({ expiresAt: issued + 601 })), { reason: "INVALID_REQUEST" });
    assert.throws(() => credentialClaims(someFacts({ sessionStarts: [issued] })), { reason: "INVALID_REQUEST" });
    const other = deployChain();
    for (const [claim, value] of Object.entries({
      sub: "corp/bob",
      sid: other.links[0].sid,
      client_id: "corp/alice",
      provider: "other",
      auth_time: issued,
      exp: issued + 601,
      session_expiry: issued + 599,
      epoch: -1,
      jti: 7,
      groups: "corp/admins",
      cnf: { jkt: sha256("a"), "x5t#S256": sha256("b") },
      authorization_details: [],
    })) {
      isRefused(await signedAnyhow(authn.key, someClaims({ [claim]: value })), "bad-claims", at(issued), claim);
      const { [claim as "sub"]: _, ...without } = someClaims();
      isRefused(await signedAnyhow(authn.key, without), "bad-claims", at(issued), `no ${claim}`);
    }
    isRefused(await signedAnyhow(authn.key, someClaims({ authorization_details: [{ type: "other" }] })), "bad-claims");
    isRefused(await signedAnyhow(authn.key, someClaims({ cnf: { jkt: "short" } })), "bad-claims");
  });

  it("above 8 KiB is neither issued nor read", async () => {
    const groups = Array.from({ length: 400 }, (_, index) => `corp/group-with-a-long-name-${index}`);
    await assert.rejects(signCredential(someClaims({ groups }), authn), { reason: "TOO_LARGE" });
    isRefused("x".repeat(8193), "malformed");
  });

  it("of another type, issuer or audience is refused", async () => {
    isRefused(await signedAnyhow(authn.key, someClaims(), { typ: "JWT" }), "wrong-type");
    isRefused(await signedAnyhow(authn.key, someClaims({ iss: `${issuer}/` })), "wrong-issuer");
    isRefused(await signedAnyhow(authn.key, someClaims({ aud: "https://other.internal" })), "wrong-audience");
    isRefused(await signedAnyhow(authn.key, someClaims({ aud: [audience, "x"] })), "wrong-audience");
    for (const junk of ["", "a.b", "a.b.c", "..", "Bearer x.y.z", `${encode([])}.${encode({})}.AA`]) isRefused(junk, "malformed");
  });
});

describe("TOKN-01: nested actors", () => {
  const deep = (depth: number, key: string) => [`{"${key}":`.repeat(depth), 1, "}".repeat(depth)].join("");
  const rawToken = (claims: string) => {
    const input = `${encode({ alg: "ES256", typ: "at+jwt", kid: "key-1" })}.${Buffer.from(claims).toString("base64url")}`;
    return `${input}.${Buffer.alloc(64, 1).toString("base64url")}`;
  };

  it("`act` of any shape is never read", async () => {
    const shapes = [
      "root-agent",
      [],
      [{ sub: "a" }],
      null,
      { sub: 7 },
      { act: {} },
      JSON.parse(deep(500, "act")),
      { sub: "x", act: { exp: 1, aud: "y" } },
    ];
    const plain = isVerified(await signedAnyhow(authn.key, someClaims()));
    for (const act of shapes) {
      const credential = isVerified(await signedAnyhow(authn.key, someClaims({ act })));
      assert.equal(credential.chain.links.length, 3);
      assert.deepEqual(credential.expiresAt, plain.expiresAt);
    }
  });

  it("a `chain` of the wrong type, or too deep, is refused without a stack overflow", async () => {
    const long = Array.from({ length: 18 }, (_, index) => ({
      ...someClaims().chain[0],
      id: index === 0 ? "corp/alice" : `corp/alice#${"a/".repeat(index - 1)}a`,
    }));
    for (const chain of [
      "corp/alice",
      [],
      null,
      7,
      {},
      [null],
      [[]],
      ["corp/alice"],
      [{ id: 7 }],
      JSON.parse(deep(500, "chain")),
      long,
      undefined,
    ]) {
      isRefused(await signedAnyhow(authn.key, someClaims({ chain })), "bad-claims", at(issued), JSON.stringify(chain));
    }
    isRefused(rawToken(deep(500, "chain")), "bad-signature");
    isRefused(rawToken(`${"[".repeat(2900)}${"]".repeat(2900)}`), "malformed");
  });

  it("the benign twin, two agents deep with its own `act`, passes", async () => {
    assert.equal(isVerified(await signCredential(credentialClaims(someFacts()), authn)).chain.links.length, 3);
  });
});

describe("TOKN-07: which algorithm and whose key", () => {
  it("HS256 over the public key's text, `none` in any case, and another algorithm for this key are refused", async () => {
    const pem = `\n  ${authn.publicKey.export({ type: "spki", format: "pem" })}`;
    const forged = (alg: string, sign: (input: string) => string) => {
      const input = `${encode({ alg, typ: "at+jwt", kid: "key-1" })}.${encode(someClaims())}`;
      return `${input}.${sign(input)}`;
    };
    for (const secret of [pem, pem.trim(), authn.jwks]) {
      isRefused(
        forged("HS256", (input) => createHmac("sha256", secret).update(input).digest("base64url")),
        "wrong-algorithm",
      );
    }
    for (const alg of ["none", "None", "nOnE", "RS256", "ES384", "EdDSA", "es256", ""])
      isRefused(
        forged(alg, () => "AA"),
        "wrong-algorithm",
        at(issued),
        alg,
      );
    isRefused(`${encode({ alg: "none", typ: "at+jwt" })}.${encode(someClaims())}.`, "malformed");
  });

  it("a key in the token's header, or a place to fetch one from, is refused", async () => {
    const attacker = authnKey();
    const jwk = attacker.publicKey.export({ format: "jwk" });
    for (const header of [{ jwk }, { jku: "https://evil.example/jwks" }, { x5u: "https://evil.example/c" }, { x5c: ["AA"] }]) {
      isRefused(await signedAnyhow(attacker.key, someClaims(), header), "embedded-key");
      isRefused(await signedAnyhow(authn.key, someClaims(), header), "embedded-key");
    }
    isRefused(await signedAnyhow(attacker.key, someClaims()), "bad-signature");
    for (const kid of ["../../dev/null", "", "key-2", "__proto__", "constructor"])
      isRefused(await signedAnyhow(authn.key, someClaims(), { kid }), "unknown-key");
  });

  it("a key set that holds anything but public P-256 keys is refused whole", () => {
    const [good] = JSON.parse(authn.jwks).keys;
    const { kid: _, ...nameless } = good;
    for (const keys of [
      [],
      [nameless],
      [good, good],
      [{ ...good, d: "AA" }],
      [{ kty: "oct", k: "AA", kid: "a" }],
      [{ ...good, alg: "HS256" }],
      [{ ...good, x: good.y }],
      "x",
    ]) {
      assert.throws(() => CredentialKeys.parse(JSON.stringify({ keys })), JSON.stringify(keys));
    }
  });

  it("the benign twin, ES256 by a published key, passes", async () => isVerified(await signCredential(someClaims(), authn)));
});

describe("TOKN-09: what a verified credential is remembered under", () => {
  it("two tokens that end alike are two", async () => {
    const cache = new CredentialCache();
    const expected = { ...at(issued), cache };
    const token = await signCredential(someClaims(), authn);
    isVerified(token, expected);
    const [header, , signature] = token.split(".");
    isRefused(`${header}.${encode(someClaims({ groups: ["corp/admins"] }))}.${signature}`, "bad-signature", expected);
  });

  it("audience, issuer, expiry and the key's removal are judged on each use", async () => {
    const cache = new CredentialCache();
    const expected = { ...at(issued), cache };
    const token = await signCredential(someClaims(), authn);
    const first = isVerified(token, expected);
    assert.equal(isVerified(token, expected), first, "the second use is remembered");
    isRefused(token, "wrong-audience", { ...expected, audience: "https://b.internal" });
    isRefused(token, "wrong-issuer", { ...expected, issuer: "https://b.internal" });
    isRefused(token, "expired", { ...expected, now: (issued + 600) * 1000 });
    isRefused(token, "not-yet-valid", { ...expected, now: (issued - 61) * 1000 });
    isRefused(token, "unknown-key", { ...expected, keys: authnKey("key-2").keys });
    isRefused(token, "bad-signature", { ...expected, keys: authnKey("key-1").keys });
  });

  it("failures are not remembered, and room is bounded", async () => {
    const cache = new CredentialCache(2);
    isRefused(await signedAnyhow(authnKey().key, someClaims()), "bad-signature", { ...at(issued), cache });
    assert.equal(cache.size, 0);
    for (let count = 0; count < 4; count++) isVerified(await signCredential(someClaims(), authn), { ...at(issued), cache });
    assert.equal(cache.size, 2);
  });
});

describe("TOKN-17: clocks that differ", () => {
  it("`iat` and `nbf` up to 60 s ahead pass; beyond, they are refused", async () => {
    for (const ahead of [0, 5, 10, 60]) {
      isVerified(await signedAnyhow(authn.key, someClaims()), at(issued - ahead));
      isVerified(await signedAnyhow(authn.key, someClaims({ nbf: issued + ahead })));
    }
    for (const ahead of [61, 315_360_000]) {
      isRefused(await signedAnyhow(authn.key, someClaims()), "not-yet-valid", at(issued - ahead));
      isRefused(await signedAnyhow(authn.key, someClaims({ nbf: issued + ahead })), "not-yet-valid");
    }
  });

  it("`exp` in the past is refused, and so is one that is no whole number of seconds", async () => {
    isVerified(await signedAnyhow(authn.key, someClaims()), at(issued + 599));
    for (const late of [600, 605, 661]) isRefused(await signedAnyhow(authn.key, someClaims()), "expired", at(issued + late));
    for (const exp of [1e308, String(issued + 60), issued + 60.5, -1, null, undefined]) {
      isRefused(await signedAnyhow(authn.key, someClaims({ exp })), "bad-claims", at(issued), String(exp));
    }
    for (const iat of [issued - 0.5, "1", -1]) isRefused(await signedAnyhow(authn.key, someClaims({ iat })), "bad-claims");
  });
});
