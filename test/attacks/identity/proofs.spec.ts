import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { TokenService } from "@sallyport/contracts";
import { ProofMaker, sha256 } from "@sallyport/identity";
import { encode, es256, flipped, hs256, type Json, jws, unsigned } from "./forge.ts";
import { audience, bytesOf, htuOf, reasonOf, refusalOf, Stage } from "./stage.ts";

const method = TokenService.method.whoAmI;
const now = () => Math.floor(Date.now() / 1000);

/** An honest proof taken apart, and what a thief of the credential might use instead. */
interface Honest {
  readonly header: Json & { jwk: Json };
  readonly claims: Json;
  readonly own: ReturnType<typeof es256>;
  readonly ownJwk: Json;
  readonly privateJwk: Json;
  readonly made: (claims: Json, header?: Json) => string;
}

type Attack = readonly [name: string, refused: string, forge: (honest: Honest) => string | undefined];

/** In the order of RFC 9449 §4.3. */
const attacks: readonly Attack[] = [
  ["no proof at all", "PROOF_REQUIRED absent", () => undefined],
  ["a proof that is no JWT", "PROOF_INVALID malformed", () => "nonsense"],
  ["two proofs in one header", "PROOF_INVALID malformed", (h) => `${h.made(h.claims)}, ${h.made(h.claims)}`],
  ["a proof of more than 4 KiB", "PROOF_INVALID malformed", (h) => h.made({ ...h.claims, filler: "x".repeat(4000) })],
  ["a critical extension", "PROOF_INVALID malformed", (h) => h.made(h.claims, { ...h.header, crit: ["x"], x: 1 })],
  ["no jti", "PROOF_INVALID claim-missing", (h) => h.made({ ...h.claims, jti: undefined })],
  ["a jti that is short enough to be met again", "PROOF_INVALID claim-missing", (h) => h.made({ ...h.claims, jti: "1" })],
  ["a jti that is a number", "PROOF_INVALID claim-missing", (h) => h.made({ ...h.claims, jti: 1234567890123456 })],
  ["no htm", "PROOF_INVALID claim-missing", (h) => h.made({ ...h.claims, htm: undefined })],
  ["no htu", "PROOF_INVALID claim-missing", (h) => h.made({ ...h.claims, htu: undefined })],
  ["no iat", "PROOF_INVALID claim-missing", (h) => h.made({ ...h.claims, iat: undefined })],
  ["typ JWT", "PROOF_INVALID wrong-type", (h) => h.made(h.claims, { ...h.header, typ: "JWT" })],
  ["typ at+jwt: a credential's", "PROOF_INVALID wrong-type", (h) => h.made(h.claims, { ...h.header, typ: "at+jwt" })],
  ["alg none", "PROOF_INVALID malformed", (h) => jws({ ...h.header, alg: "none" }, h.claims, unsigned)],
  [
    "HS256 over the key's own coordinates",
    "PROOF_INVALID wrong-algorithm",
    (h) => jws({ ...h.header, alg: "HS256" }, h.claims, hs256(`${h.header.jwk.x}`)),
  ],
  [
    "a symmetric key",
    "PROOF_INVALID wrong-algorithm",
    (h) => jws({ ...h.header, alg: "HS256", jwk: { kty: "oct", k: "AAAA" } }, h.claims, hs256(Buffer.alloc(3))),
  ],
  ["EdDSA named for a P-256 key", "PROOF_INVALID wrong-algorithm", (h) => h.made(h.claims, { ...h.header, alg: "EdDSA" })],
  ["no key in the proof", "PROOF_INVALID wrong-algorithm", (h) => h.made(h.claims, { ...h.header, jwk: undefined })],
  ["a key by name only", "PROOF_INVALID wrong-algorithm", (h) => h.made(h.claims, { alg: "ES256", typ: "dpop+jwt", kid: "mine" })],
  [
    "a key by address",
    "PROOF_INVALID wrong-algorithm",
    (h) => h.made(h.claims, { alg: "ES256", typ: "dpop+jwt", jku: "http://127.0.0.1:1" }),
  ],
  [
    "a point off the curve",
    "PROOF_INVALID wrong-algorithm",
    (h) => h.made(h.claims, { ...h.header, jwk: { ...h.header.jwk, y: "A".repeat(43) } }),
  ],
  ["an RSA key", "PROOF_INVALID wrong-algorithm", (h) => rsaProof(h)],
  ["a P-384 key", "PROOF_INVALID wrong-algorithm", (h) => h.made(h.claims, { ...h.header, jwk: { ...h.header.jwk, crv: "P-384" } })],
  ["signed by another key than it names", "PROOF_INVALID bad-signature", (h) => jws(h.header, h.claims, h.own)],
  ["one bit of its signature", "PROOF_INVALID bad-signature", (h) => ((proof) => flipped(proof, proof.length - 40))(h.made(h.claims))],
  ["r and s of zero", "PROOF_INVALID bad-signature", (h) => jws(h.header, h.claims, () => Buffer.alloc(64))],
  ["the private key in it", "PROOF_INVALID private-key", (h) => h.made(h.claims, { ...h.header, jwk: h.privateJwk })],
  ["htm GET", "PROOF_INVALID wrong-method", (h) => h.made({ ...h.claims, htm: "GET" })],
  ["htm post", "PROOF_INVALID wrong-method", (h) => h.made({ ...h.claims, htm: "post" })],
  ["another method's address", "PROOF_INVALID wrong-uri", (h) => h.made({ ...h.claims, htu: htuOf(TokenService.method.renew) })],
  [
    "another host's address",
    "PROOF_INVALID wrong-uri",
    (h) => h.made({ ...h.claims, htu: htuOf(method).replace("test.internal", "evil.example") }),
  ],
  ["http instead of https", "PROOF_INVALID wrong-uri", (h) => h.made({ ...h.claims, htu: htuOf(method).replace("https", "http") })],
  ["another port", "PROOF_INVALID wrong-uri", (h) => h.made({ ...h.claims, htu: htuOf(method).replace(".internal", ".internal:8443") })],
  ["a trailing slash", "PROOF_INVALID wrong-uri", (h) => h.made({ ...h.claims, htu: `${htuOf(method)}/` })],
  [
    "a user name in the address",
    "PROOF_INVALID wrong-uri",
    (h) => h.made({ ...h.claims, htu: htuOf(method).replace("https://", "https://test.internal@evil.example/") }),
  ],
  ["no nonce", "PROOF_REQUIRED nonce-missing", (h) => h.made({ ...h.claims, nonce: undefined })],
  ["a nonce that was made up", "PROOF_REQUIRED nonce-invalid", (h) => h.made({ ...h.claims, nonce: "made-up" })],
  [
    "a nonce with another MAC",
    "PROOF_REQUIRED nonce-invalid",
    (h) => h.made({ ...h.claims, nonce: `${(h.claims.nonce as string).slice(0, -22)}${"A".repeat(22)}` }),
  ],
  [
    "a nonce of another replica",
    "PROOF_REQUIRED nonce-foreign",
    (h) => h.made({ ...h.claims, nonce: `${"B".repeat(10)}${(h.claims.nonce as string).slice(10)}` }),
  ],
  ["a nonce that is a list", "PROOF_REQUIRED nonce-invalid", (h) => h.made({ ...h.claims, nonce: [h.claims.nonce] })],
  ["made 90 s ago", "PROOF_INVALID wrong-time", (h) => h.made({ ...h.claims, iat: now() - 90 })],
  ["made 90 s ahead", "PROOF_INVALID wrong-time", (h) => h.made({ ...h.claims, iat: now() + 90 })],
  ["made at no whole second", "PROOF_INVALID wrong-time", (h) => h.made({ ...h.claims, iat: now() + 0.5 })],
  ["made at a time that is a text", "PROOF_INVALID wrong-time", (h) => h.made({ ...h.claims, iat: String(now()) })],
  ["for another credential", "PROOF_INVALID wrong-credential", (h) => h.made({ ...h.claims, ath: sha256("another") })],
  ["for no credential", "PROOF_INVALID wrong-credential", (h) => h.made({ ...h.claims, ath: undefined })],
  ["by a thief's own key, all else right", "PROOF_INVALID wrong-key", (h) => jws({ ...h.header, jwk: h.ownJwk }, h.claims, h.own)],
  ["for another request's bytes", "PROOF_INVALID wrong-request", (h) => h.made({ ...h.claims, rqh: sha256("another request") })],
  ["for no request in particular", "PROOF_INVALID wrong-request", (h) => h.made({ ...h.claims, rqh: undefined })],
];

function rsaProof(h: Honest): string {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return jws({ ...h.header, alg: "RS256", jwk: publicKey.export({ format: "jwk" }) }, h.claims, (input) =>
    sign("sha256", input, privateKey),
  );
}

describe("attacks on proofs of possession", () => {
  let stage: Stage;
  let token: string;
  const holder = ProofMaker.generate();
  const thief = generateKeyPairSync("ec", { namedCurve: "P-256" });

  before(async () => {
    stage = await Stage.open();
    token = (await stage.signIn(holder)).token;
  });
  after(() => stage.close());

  const honest = async (): Promise<Honest> => {
    const nonce = await stage.learnNonce(holder);
    const key = es256(holder.privateKey as never);
    const header = { alg: "ES256", typ: "dpop+jwt", jwk: { ...holder.publicJwk } as Json };
    return {
      header,
      claims: {
        jti: crypto.randomUUID(),
        htm: "POST",
        htu: htuOf(method),
        iat: now(),
        ath: sha256(token),
        nonce,
        rqh: sha256(bytesOf(method, {})),
      },
      own: es256(thief.privateKey),
      ownJwk: thief.publicKey.export({ format: "jwk" }) as Json,
      privateJwk: holder.privateKey.export({ format: "jwk" }) as Json,
      made: (claims, changed = header) => jws(changed, claims, key),
    };
  };
  const show = (proof: string | undefined) =>
    stage.raw(method, {}, { authorization: `DPoP ${token}`, ...(proof === undefined ? {} : { dpop: proof }) });

  for (const [name, refused, forge] of attacks) {
    it(`${name}: ${refused}`, async () => {
      const refusal = await refusalOf(show(forge(await honest())));
      assert.equal(reasonOf(refusal), refused, refusal.message);
    });
  }

  it("shown twice: PROOF_INVALID replayed", async () => {
    const { made, claims } = await honest();
    const proof = made(claims);
    await show(proof);
    assert.equal(reasonOf(await refusalOf(show(proof))), "PROOF_INVALID replayed");
  });

  it("shown again with its address spelled otherwise, and signed anew: PROOF_INVALID replayed", async () => {
    const { made, claims } = await honest();
    await show(made(claims));
    for (const htu of [
      htuOf(method).toUpperCase().replace(htuOf(method).slice(audience.length).toUpperCase(), htuOf(method).slice(audience.length)),
      `${htuOf(method)}?x=1`,
    ]) {
      assert.equal(reasonOf(await refusalOf(show(made({ ...claims, htu })))), "PROOF_INVALID replayed");
    }
  });

  it("used for another call with the same credential: PROOF_INVALID wrong-uri", async () => {
    const { made, claims } = await honest();
    const call = stage.raw(TokenService.method.renew, {}, { authorization: `DPoP ${token}`, dpop: made(claims) });
    assert.equal(reasonOf(await refusalOf(call)), "PROOF_INVALID wrong-uri");
  });

  it("the credential without the DPoP scheme: UNAUTHENTICATED", async () => {
    const { made, claims } = await honest();
    for (const authorization of [`Bearer ${token}`, token, `DPoP ${token} x`, `Basic ${encode(token)}`]) {
      assert.equal(
        (await refusalOf(stage.raw(method, {}, { authorization, dpop: made({ ...claims, jti: crypto.randomUUID() }) }))).reason,
        "UNAUTHENTICATED",
      );
    }
  });

  it("the benign twins pass: each jti once, the scheme in any case, the address in RFC 3986's other spellings, clocks 50 s apart", async () => {
    const { made, claims } = await honest();
    for (const change of [
      {},
      { htu: htuOf(method).replace("https://test.internal", "HTTPS://Test.Internal:443") },
      { iat: now() - 50 },
      { iat: now() + 50 },
    ]) {
      await show(made({ ...claims, ...change, jti: crypto.randomUUID() }));
    }
    await stage.raw(method, {}, { authorization: `dpop ${token}`, dpop: made({ ...claims, jti: crypto.randomUUID() }) });
  });
});
