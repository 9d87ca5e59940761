import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { CompactSign } from "jose";
import { issued } from "./credential.fixture.ts";
import { type ExpectedProof, NonceMint, type ProofFault, ProofKeys, ProofMaker, ReplayStore, sha256, verifyProof } from "./index.ts";

const htu = "https://g.test/p";
const request = Buffer.from("the request's bytes");
const requestHash = createHash("sha256").update(request).digest();
const credential = "a.b.c";
const monotonic = 1_000_000;

function setting() {
  const maker = ProofMaker.generate();
  const memory = { keys: new ProofKeys(), nonces: new NonceMint({ replica: "r" }), replays: new ReplayStore() };
  maker.remember(memory.nonces.current(monotonic));
  const expected: ExpectedProof = {
    htu,
    requestHash,
    credential: { tokenHash: sha256(credential), thumbprint: maker.thumbprint },
    now: issued * 1000,
    monotonic,
  };
  const claims = (changes: object = {}) => ({
    jti: "0123456789abcdef",
    htm: "POST",
    htu,
    iat: issued,
    ath: sha256(credential),
    rqh: requestHash.toString("base64url"),
    nonce: memory.nonces.current(monotonic),
    ...changes,
  });
  const sign = (changed: object = {}, header: object = {}, key: KeyObject = maker.privateKey) =>
    new CompactSign(Buffer.from(JSON.stringify(claims(changed))))
      .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: maker.publicJwk, ...header } as never)
      .sign(key);
  const isRefused = (proof: string, why: ProofFault, changes: Partial<ExpectedProof> = {}) => {
    const verification = verifyProof(proof, { ...expected, ...changes }, memory);
    assert.equal(verification.kind === "refused" ? verification.why : "verified", why);
  };
  const isVerified = (proof: string, changes: Partial<ExpectedProof> = {}) => {
    const verification = verifyProof(proof, { ...expected, ...changes }, memory);
    assert.equal(verification.kind, "verified", verification.kind === "refused" ? verification.sentence : "");
  };
  return { maker, memory, expected, claims, sign, isRefused, isVerified };
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a proof", () => {
  it("by the holder, for this call, holds once", () => {
    for (const algorithm of ["ES256", "EdDSA"] as const) {
      const { memory, expected } = setting();
      const maker = ProofMaker.generate(algorithm);
      maker.remember(memory.nonces.current(monotonic), "g.test:443");
      const proof = maker.prove({ htu, request, credential, peer: "g.test:443" }, issued * 1000);
      const bound = { ...expected, credential: { tokenHash: sha256(credential), thumbprint: maker.thumbprint } };
      const first = verifyProof(proof, bound, memory);
      assert.deepEqual(first, { kind: "verified", proof: { thumbprint: maker.thumbprint, publicJwk: maker.publicJwk, nonceAgeMs: 0 } });
      const second = verifyProof(proof, bound, memory);
      assert.equal(second.kind === "refused" && second.why, "replayed");
    }
  });

  it("without a credential holds for whoever made it", () => {
    const { maker, memory, expected } = setting();
    const { credential: _, ...bare } = expected;
    assert.equal(verifyProof(maker.prove({ htu, request }, issued * 1000), bare, memory).kind, "verified");
  });

  it("is refused with one fault for each line of RFC 9449 §4.3", async () => {
    const { sign, isRefused, maker, claims } = setting();
    const good = await sign();
    for (const bad of ["", "x", `${good},${good}`, `${good} ${good}`, "x".repeat(5000)]) isRefused(bad, "malformed");
    const critical = `${encode({ alg: "ES256", typ: "dpop+jwt", jwk: maker.publicJwk, crit: ["exp"] })}.${encode(claims())}`;
    isRefused(`${critical}.${Buffer.alloc(64).toString("base64url")}`, "malformed");
    for (const name of ["jti", "htm", "htu", "iat"]) isRefused(await sign({ [name]: undefined }), "claim-missing");
    isRefused(await sign({ jti: "short" }), "claim-missing");
    isRefused(await sign({ jti: "x".repeat(129) }), "claim-missing");
    isRefused(await sign({}, { typ: "JWT" }), "wrong-type");
    isRefused(await sign({}, { jwk: undefined }), "wrong-algorithm");
    isRefused(await sign({}, { jwk: { ...maker.publicJwk, y: "AAAA" } }), "wrong-algorithm");
    isRefused(await sign({}, { jwk: ProofMaker.generate("EdDSA").publicJwk }), "wrong-algorithm");
    for (const alg of ["none", "HS256", "RS256", "EdDSA"]) {
      const input = `${encode({ alg, typ: "dpop+jwt", jwk: maker.publicJwk })}.${encode(claims())}`;
      isRefused(`${input}.${createHmac("sha256", JSON.stringify(maker.publicJwk)).update(input).digest("base64url")}`, "wrong-algorithm");
    }
    isRefused(await sign({}, {}, generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey), "bad-signature");
    isRefused(await sign({}, { jwk: maker.privateKey.export({ format: "jwk" }) }), "private-key");
    for (const htm of ["post", "GET", ""]) isRefused(await sign({ htm }), "wrong-method");
    isRefused(await sign({ htu: "https://g.test/q" }), "wrong-uri");
    isRefused(await sign({ htu: "not a uri" }), "wrong-uri", { htu: "nor this" });
    isRefused(await sign({ nonce: undefined }), "nonce-missing");
    isRefused(await sign({ nonce: 7 }), "nonce-invalid");
    isRefused(await sign({ nonce: new NonceMint({ replica: "s" }).current(monotonic) }), "nonce-foreign");
    isRefused(await sign(), "nonce-stale", { monotonic: monotonic + 120_000 });
    isRefused(await sign({ ath: undefined }), "wrong-credential");
    isRefused(await sign({ ath: sha256("another") }), "wrong-credential");
    isRefused(await sign(), "wrong-key", { credential: { tokenHash: sha256(credential), thumbprint: sha256("another key") } });
    isRefused(await sign({ rqh: undefined }), "wrong-request");
    isRefused(await sign(), "wrong-request", { requestHash: createHash("sha256").update("another body").digest() });
  });

  it("is not spent by being refused", async () => {
    const { sign, isRefused, isVerified, memory } = setting();
    const proof = await sign();
    isRefused(proof, "wrong-request", { requestHash: Buffer.alloc(32) });
    assert.equal(memory.replays.size, 0);
    isVerified(proof);
  });

  it("is refused where it cannot be remembered", () => {
    const { maker, expected, memory } = setting();
    const verification = verifyProof(maker.prove({ htu, request, credential }, issued * 1000), expected, {
      ...memory,
      replays: new ReplayStore(0),
    });
    assert.equal(verification.kind === "refused" && verification.why, "replays-full");
  });

  it("TOKN-17: made within 60 s of the service's clock holds, either way; beyond, or with no whole seconds, not", async () => {
    const { sign, isRefused, isVerified } = setting();
    for (const [index, off] of [-60, -5, 0, 5, 10, 60].entries())
      isVerified(await sign({ iat: issued + off, jti: `0123456789abcde${index}` }));
    for (const iat of [issued + 61, issued - 61, issued + 315_360_000, 1e308, String(issued), issued + 0.5, -1, null])
      isRefused(await sign({ iat }), "wrong-time");
  });
});

describe("TOKN-05: one proof, its address spelled in many ways", () => {
  const spellings = ["https://G.test/p", "HTTPS://g.test:443/p", "https://g.test/p?x=1", "https://g.test/%70"];

  it("each spelling is for this call, and none is fresh again", async () => {
    const { sign, isRefused, isVerified } = setting();
    for (const [index, spelling] of spellings.entries()) isVerified(await sign({ htu: spelling, jti: `0123456789abcde${index}` }));
    for (const spelling of spellings) isRefused(await sign({ htu: spelling, jti: "0123456789abcde0" }), "replayed");
  });

  it("a trailing slash is another address, and `post` another method", async () => {
    const { sign, isRefused } = setting();
    isRefused(await sign({ htu: "https://g.test/p/" }), "wrong-uri");
    isRefused(await sign({ htm: "post" }), "wrong-method");
  });

  it("the benign twins, another jti and another key with the same jti, hold", async () => {
    const { sign, isVerified, expected } = setting();
    isVerified(await sign());
    isVerified(await sign({ jti: "fedcba9876543210" }));
    const other = ProofMaker.generate();
    const bound = { credential: { tokenHash: expected.credential?.tokenHash ?? "", thumbprint: other.thumbprint } };
    isVerified(await sign({}, { jwk: other.publicJwk }, other.privateKey), bound);
  });
});
