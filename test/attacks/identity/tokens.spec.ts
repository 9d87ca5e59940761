import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { TokenService } from "@sallyport/contracts";
import { newSessionId, ProofMaker } from "@sallyport/identity";
import { der, encode, es256, flipped, hs256, type Json, jws, partOf, unsigned } from "./forge.ts";
import { mayDelegate, reasonOf, refusalOf, Stage } from "./stage.ts";

/** A credential as its holder has it, taken apart, and the keys that an attacker might sign with. */
interface Stolen {
  readonly token: string;
  readonly header: Json;
  readonly claims: Json & { chain: Json[]; cnf: Json; authorization_details: Json[] };
  readonly authn: ReturnType<typeof es256>;
  readonly own: ReturnType<typeof es256>;
  readonly authnPem: string;
  readonly authnJwk: Json;
  readonly ownJwk: Json;
  /** Another credential of the same session. */
  readonly other: string;
  /** Signed by authn's own key: what not even a thief of that key may say. */
  readonly resigned: (claims: Json, header?: Json) => string;
}

type Attack = readonly [name: string, refused: string, forge: (stolen: Stolen) => string];
const now = () => Math.floor(Date.now() / 1000);
const link = (s: Stolen, index: number, change: Json) => s.claims.chain.map((one, at) => (at === index ? { ...one, ...change } : one));

const headers: readonly Attack[] = [
  ["alg none, unsigned", "UNAUTHENTICATED malformed", (s) => jws({ ...s.header, alg: "none" }, s.claims, unsigned)],
  ["alg None, unsigned", "UNAUTHENTICATED malformed", (s) => `${encode({ ...s.header, alg: "None" })}.${encode(s.claims)}.`],
  [
    "alg nOnE with the old signature",
    "UNAUTHENTICATED wrong-algorithm",
    (s) => `${encode({ ...s.header, alg: "nOnE" })}.${s.token.split(".").slice(1).join(".")}`,
  ],
  [
    "HS256 over authn's public key as PEM",
    "UNAUTHENTICATED wrong-algorithm",
    (s) => jws({ ...s.header, alg: "HS256" }, s.claims, hs256(s.authnPem)),
  ],
  [
    "HS256 over authn's public key as JWK",
    "UNAUTHENTICATED wrong-algorithm",
    (s) => jws({ ...s.header, alg: "HS256" }, s.claims, hs256(JSON.stringify(s.authnJwk))),
  ],
  ["HS256 with an empty secret", "UNAUTHENTICATED wrong-algorithm", (s) => jws({ ...s.header, alg: "HS256" }, s.claims, hs256(""))],
  ["RS256 for an EC key", "UNAUTHENTICATED wrong-algorithm", (s) => jws({ ...s.header, alg: "RS256" }, s.claims, s.authn)],
  ["ES384 for a P-256 key", "UNAUTHENTICATED wrong-algorithm", (s) => jws({ ...s.header, alg: "ES384" }, s.claims, s.authn)],
  ["es256 in another case", "UNAUTHENTICATED wrong-algorithm", (s) => s.resigned(s.claims, { ...s.header, alg: "es256" })],
  ["alg as a list", "UNAUTHENTICATED wrong-algorithm", (s) => s.resigned(s.claims, { ...s.header, alg: ["ES256"] })],
  ["no alg", "UNAUTHENTICATED wrong-algorithm", (s) => s.resigned(s.claims, { typ: "at+jwt", kid: s.header.kid })],
  ["typ JWT: an ID token's", "UNAUTHENTICATED wrong-type", (s) => s.resigned(s.claims, { ...s.header, typ: "JWT" })],
  ["typ dpop+jwt: a proof's", "UNAUTHENTICATED wrong-type", (s) => s.resigned(s.claims, { ...s.header, typ: "dpop+jwt" })],
  ["no typ", "UNAUTHENTICATED wrong-type", (s) => s.resigned(s.claims, { alg: "ES256", kid: s.header.kid })],
  ["an unknown kid", "UNAUTHENTICATED unknown-key", (s) => s.resigned(s.claims, { ...s.header, kid: "other" })],
  ["a kid that is a path", "UNAUTHENTICATED unknown-key", (s) => s.resigned(s.claims, { ...s.header, kid: "../../dev/null" })],
  ["a kid that is a query", "UNAUTHENTICATED unknown-key", (s) => s.resigned(s.claims, { ...s.header, kid: "' OR 1=1 --" })],
  ["a kid that every object has", "UNAUTHENTICATED unknown-key", (s) => s.resigned(s.claims, { ...s.header, kid: "__proto__" })],
  ["a kid that is a number", "UNAUTHENTICATED unknown-key", (s) => s.resigned(s.claims, { ...s.header, kid: 0 })],
  ["no kid", "UNAUTHENTICATED unknown-key", (s) => s.resigned(s.claims, { alg: "ES256", typ: "at+jwt" })],
  ["an attacker's key in jwk", "UNAUTHENTICATED embedded-key", (s) => jws({ ...s.header, jwk: s.ownJwk }, s.claims, s.own)],
  [
    "an attacker's key set in jku",
    "UNAUTHENTICATED embedded-key",
    (s) => jws({ ...s.header, jku: "http://127.0.0.1:1/jwks" }, s.claims, s.own),
  ],
  [
    "an attacker's certificate in x5u",
    "UNAUTHENTICATED embedded-key",
    (s) => jws({ ...s.header, x5u: "http://127.0.0.1:1/x" }, s.claims, s.own),
  ],
  ["an attacker's certificate in x5c", "UNAUTHENTICATED embedded-key", (s) => jws({ ...s.header, x5c: ["AA=="] }, s.claims, s.own)],
  ["a critical extension", "UNAUTHENTICATED embedded-key", (s) => s.resigned(s.claims, { ...s.header, crit: ["exp"], exp: 1 })],
  [
    "an unencoded payload (RFC 7797)",
    "UNAUTHENTICATED embedded-key",
    (s) => s.resigned(s.claims, { ...s.header, crit: ["b64"], b64: false }),
  ],
];

const forms: readonly Attack[] = [
  ["signed by an attacker's key", "UNAUTHENTICATED bad-signature", (s) => jws(s.header, s.claims, s.own)],
  ["the signature as DER", "UNAUTHENTICATED bad-signature", (s) => jws(s.header, s.claims, der(stolenKey()))],
  ["r and s of zero", "UNAUTHENTICATED bad-signature", (s) => jws(s.header, s.claims, () => Buffer.alloc(64))],
  ["a signature cut short", "UNAUTHENTICATED bad-signature", (s) => s.token.slice(0, -10)],
  ["one bit of the signature", "UNAUTHENTICATED bad-signature", (s) => flipped(s.token, s.token.length - 40)],
  ["one character of the claims", "UNAUTHENTICATED", (s) => flipped(s.token, s.token.indexOf(".") + 60)],
  [
    "another token's signature",
    "UNAUTHENTICATED bad-signature",
    (s) => [...s.token.split(".").slice(0, 2), s.other.split(".")[2]].join("."),
  ],
  [
    "another token's claims",
    "UNAUTHENTICATED bad-signature",
    (s) => [s.token.split(".")[0], s.other.split(".")[1], s.token.split(".")[2]].join("."),
  ],
  ["an empty signature", "UNAUTHENTICATED malformed", (s) => `${s.token.split(".").slice(0, 2).join(".")}.`],
  ["two parts", "UNAUTHENTICATED malformed", (s) => s.token.split(".").slice(0, 2).join(".")],
  ["four parts", "UNAUTHENTICATED malformed", (s) => `${s.token}.${s.token.split(".")[2]}`],
  ["five parts: an encrypted token", "UNAUTHENTICATED malformed", () => `${encode({ alg: "dir", enc: "A128GCM" })}.a.b.c.d`],
  ["base64 padding", "UNAUTHENTICATED malformed", (s) => `${s.token}==`],
  ["claims that are a list", "UNAUTHENTICATED malformed", (s) => jws(s.header, [s.claims], s.authn)],
  ["claims that are no JSON", "UNAUTHENTICATED malformed", (s) => jws(s.header, "{", s.authn)],
  ["more than 8 KiB", "UNAUTHENTICATED malformed", (s) => s.resigned({ ...s.claims, filler: "x".repeat(7000) })],
];

const claims: readonly Attack[] = [
  ["another issuer", "UNAUTHENTICATED wrong-issuer", (s) => s.resigned({ ...s.claims, iss: "https://test.internal/" })],
  ["another audience", "UNAUTHENTICATED wrong-audience", (s) => s.resigned({ ...s.claims, aud: "https://other.internal" })],
  ["several audiences", "UNAUTHENTICATED wrong-audience", (s) => s.resigned({ ...s.claims, aud: ["https://test.internal", "x"] })],
  ["no audience", "UNAUTHENTICATED wrong-audience", (s) => s.resigned({ ...s.claims, aud: undefined })],
  ["no expiry", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, exp: undefined })],
  ["an expiry that is a text", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, exp: String(now() + 300) })],
  ["an expiry with a fraction", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, exp: now() + 300.5 })],
  ["an expiry of 1e308", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, exp: 1e308 })],
  [
    "a life of more than ten minutes",
    "UNAUTHENTICATED bad-claims",
    (s) => s.resigned({ ...s.claims, exp: (s.claims.iat as number) + 601 }),
  ],
  ["expired", "CREDENTIAL_EXPIRED expired", (s) => s.resigned({ ...s.claims, iat: now() - 601, exp: now() - 1 })],
  ["issued in the future", "UNAUTHENTICATED not-yet-valid", (s) => s.resigned({ ...s.claims, iat: now() + 90, exp: now() + 300 })],
  ["not yet valid", "UNAUTHENTICATED not-yet-valid", (s) => s.resigned({ ...s.claims, nbf: now() + 90 })],
  ["another principal than the chain's", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, sub: "corp/root" })],
  ["another session than the chain's", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, sid: newSessionId() })],
  ["another client than the chain's", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, client_id: "corp/alice#other" })],
  ["another provider than the chain's", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, provider: "other" })],
  ["another sign-in time than the chain's", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, auth_time: now() + 60 })],
  ["no binding", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, cnf: undefined })],
  ["two bindings", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, cnf: { ...s.claims.cnf, "x5t#S256": "A".repeat(43) } })],
  ["a key itself as binding", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, cnf: { jwk: s.ownJwk } })],
  [
    "a binding to the attacker's key",
    "UNAUTHENTICATED bad-signature",
    (s) => jws(s.header, { ...s.claims, cnf: { jkt: "A".repeat(43) } }, s.own),
  ],
  [
    "bound to a certificate, shown at the door for proofs",
    "PROOF_INVALID wrong-key",
    (s) => s.resigned({ ...s.claims, cnf: { "x5t#S256": "A".repeat(43) } }),
  ],
  ["an earlier epoch", "CREDENTIAL_REVOKED epoch", (s) => s.resigned({ ...s.claims, epoch: 1 })],
  ["a later epoch", "CREDENTIAL_REVOKED epoch", (s) => s.resigned({ ...s.claims, epoch: (s.claims.epoch as number) + 1 })],
  ["no epoch", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, epoch: undefined })],
  ["groups that are a text", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, groups: "corp/admins" })],
  ["a group with a look-alike", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, groups: ["corp/admins\u200b"] })],
  ["no ceiling", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, authorization_details: [] })],
  [
    "a ceiling of another type",
    "UNAUTHENTICATED bad-claims",
    (s) => s.resigned({ ...s.claims, authorization_details: [{ ...s.claims.authorization_details[0], type: "other" }] }),
  ],
  [
    "a member of the ceiling that nobody reads",
    "UNAUTHENTICATED bad-claims",
    (s) => s.resigned({ ...s.claims, authorization_details: [{ ...s.claims.authorization_details[0], except: ["prod/x"] }] }),
  ],
  [
    "an action that does not exist",
    "UNAUTHENTICATED bad-claims",
    (s) => s.resigned({ ...s.claims, authorization_details: [{ ...s.claims.authorization_details[0], actions: ["all"] }] }),
  ],
  [
    "a wildcard in the middle of a name",
    "UNAUTHENTICATED bad-claims",
    (s) => s.resigned({ ...s.claims, authorization_details: [{ ...s.claims.authorization_details[0], secrets: ["prod*"] }] }),
  ],
];

const chains: readonly Attack[] = [
  ["an empty chain", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, chain: [] })],
  ["a chain that is a text", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, chain: "corp/alice" })],
  ["a chain without its principal", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, chain: s.claims.chain.slice(1) })],
  [
    "a chain with a link left out",
    "UNAUTHENTICATED bad-claims",
    (s) => s.resigned({ ...s.claims, chain: [s.claims.chain[0], s.claims.chain[2]] }),
  ],
  [
    "the last link cut off: the parent's rights",
    "UNAUTHENTICATED bad-claims",
    (s) => s.resigned({ ...s.claims, chain: s.claims.chain.slice(0, 2) }),
  ],
  ["links in another order", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, chain: s.claims.chain.toReversed() })],
  ["a person in the middle", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, chain: link(s, 1, { kind: "person" }) })],
  ["an agent at the top", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, chain: link(s, 0, { kind: "agent" }) })],
  ["an unknown kind", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, chain: link(s, 0, { kind: "root" }) })],
  [
    "another parent's name in the middle",
    "UNAUTHENTICATED bad-claims",
    (s) => s.resigned({ ...s.claims, chain: link(s, 1, { id: "corp/alice#other" }) }),
  ],
  [
    "two links of one session",
    "UNAUTHENTICATED bad-claims",
    (s) => s.resigned({ ...s.claims, chain: link(s, 1, { sid: s.claims.chain[2]?.sid }) }),
  ],
  ["a session without an id", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, chain: link(s, 1, { sid: "" }) })],
  ["a session's start that is no time", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, chain: link(s, 1, { iat: -1 }) })],
  ["an owner of an agent", "UNAUTHENTICATED bad-claims", (s) => s.resigned({ ...s.claims, chain: link(s, 1, { owner: "corp/bob" }) })],
  ["seventeen agents", "UNAUTHENTICATED", (s) => s.resigned({ ...s.claims, groups: [], chain: deep(s, 17) })],
  [
    "a look-alike of the principal",
    "UNAUTHENTICATED bad-claims",
    (s) => s.resigned({ ...s.claims, sub: "corp/аlice", chain: link(s, 0, { id: "corp/аlice" }) }),
  ],
];

const deep = (s: Stolen, agents: number): Json[] => {
  const links = [s.claims.chain[0] as Json];
  for (let n = 0; n < agents; n++) {
    const parent = links.at(-1)?.id as string;
    links.push({ id: `${parent}${n === 0 ? "#" : "/"}a`, kind: "agent", sid: newSessionId(), iat: now() });
  }
  return links;
};

let stage: Stage;
let stolenKey: () => Stage["authnKey"];

describe("attacks on credentials", () => {
  let stolen: Stolen;
  let victim: ProofMaker;
  const whoAmI = (token: string, maker = victim) => stage.proven(TokenService.method.whoAmI, maker, {}, token);

  before(async () => {
    stage = await Stage.open();
    stolenKey = () => stage.authnKey;
    const parent = ProofMaker.generate();
    const release = await stage.signIn(parent, { agentName: "release", ceiling: mayDelegate });
    const child = await stage.delegate(parent, release.token, "deploy");
    const attacker = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const token = child.credential.token;
    const { credential: other } = await stage.proven(TokenService.method.renew, child.maker, {}, token);
    const header = partOf(token, 0);
    const authn = es256(stage.authnKey);
    const publicKey = createPublicKey(stage.authnKey as never);
    stolen = {
      token,
      header,
      claims: partOf(token, 1) as Stolen["claims"],
      authn,
      own: es256(attacker.privateKey),
      authnPem: publicKey.export({ type: "spki", format: "pem" }) as string,
      authnJwk: publicKey.export({ format: "jwk" }) as Json,
      ownJwk: attacker.publicKey.export({ format: "jwk" }) as Json,
      other: other?.token ?? "",
      resigned: (changed, changedHeader = header) => jws(changedHeader, changed, authn),
    };
    victim = child.maker;
  });
  after(() => stage.close());

  for (const [what, attacks] of [
    ["header", headers],
    ["form and signature", forms],
    ["claims", claims],
    ["chain", chains],
  ] as const) {
    describe(`by its ${what}`, () => {
      for (const [name, refused, forge] of attacks) {
        it(`${name}: ${refused}`, async () => {
          const refusal = await refusalOf(whoAmI(forge(stolen)));
          assert.ok(reasonOf(refusal).startsWith(refused), `${reasonOf(refusal)}: ${refusal.message}`);
        });
      }

      it("the benign twin passes: as it was issued, and signed again unchanged", async () => {
        await whoAmI(stolen.token);
        await whoAmI(stolen.resigned(stolen.claims));
        await whoAmI(stolen.resigned({ ...stolen.claims, act: [{ sub: "corp/root" }], nbf: now() + 30 }));
      });
    });
  }

  it("in a thief's hands, with a key of their own: PROOF_INVALID wrong-key", async () =>
    assert.equal(reasonOf(await refusalOf(whoAmI(stolen.token, ProofMaker.generate()))), "PROOF_INVALID wrong-key"));
});
