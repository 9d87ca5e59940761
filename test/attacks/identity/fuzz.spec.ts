import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Action } from "@sallyport/contracts";
import {
  type Credential,
  CredentialCache,
  CredentialKeys,
  ceilingOf,
  chainOf,
  childChain,
  credentialClaims,
  NonceMint,
  newSessionId,
  ProofKeys,
  ProofMaker,
  ReplayStore,
  sha256,
  signCredential,
  verifyCredential,
  verifyProof,
} from "@sallyport/identity";
import { randomFrom } from "../../support/random.ts";
import { encode, es256, type Json, jws, partOf } from "./forge.ts";

/** A slice, or as many mutations as `SALLYPORT_TEST_FUZZ` says, such as 1000000; `SALLYPORT_TEST_SEED` for others than always. */
const count = Number(process.env.SALLYPORT_TEST_FUZZ ?? 4_000);
const seed = Number(process.env.SALLYPORT_TEST_SEED ?? 20_261_125);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const audience = "https://test.internal";
const htu = `${audience}/sallyport.authn.v1.TokenService/WhoAmI`;
const request = Buffer.from("a request");
const second = Math.floor(Date.now() / 1000);
const now = second * 1000;
const monotonic = 1_000_000;

const odd: readonly unknown[] = [
  null, true, 0, -1, 1e308, 1.5, "", " ", "\0", "\u202e", "*", "../..", [], {}, [[]], { "": {} }, "x".repeat(300),
  "__proto__", "constructor", Number.MAX_SAFE_INTEGER, "2026-11-25", ["ES256"], { toString: 1 },
]; // biome-ignore format: a list

type Random = (below: number) => number;

/** Changes bytes of the text as it is sent. */
function mutateText(text: string, random: Random): string {
  const at = random(text.length);
  const character = String.fromCharCode(
    [45, 46, 48 + random(10), 65 + random(26), 97 + random(26), 61, 10, 0, 233, 0x202e][random(10)] as number,
  );
  switch (random(7)) {
    case 0:
      return text.slice(0, at) + character + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + character + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + random(20));
    case 3:
      return text.slice(0, at);
    case 4:
      return text.slice(at) + text.slice(0, at);
    case 5:
      return text + text.slice(0, at);
    default:
      return text.slice(0, at) + text.slice(at, at + random(40)).repeat(2) + text.slice(at);
  }
}

/** Changes one value of a JSON tree: removes, replaces or adds. */
function mutateJson(value: Json, random: Random): Json {
  const copy = structuredClone(value);
  let place: Record<string, unknown> = copy;
  for (let depth = random(4); depth > 0; depth--) {
    const inner = Object.values(place).filter((one): one is Record<string, unknown> => typeof one === "object" && one !== null);
    if (inner.length === 0) break;
    place = inner[random(inner.length)] as Record<string, unknown>;
  }
  const names = Object.keys(place);
  const name = names[random(names.length)] ?? "x";
  const what = random(4);
  if (what === 0) delete place[name];
  else if (what === 1) place[`x${random(1000)}`] = odd[random(odd.length)];
  else place[name] = odd[random(odd.length)];
  return copy;
}

describe(`${count} mutated credentials and proofs (seed ${seed})`, () => {
  const authn = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keys = CredentialKeys.parse(JSON.stringify({ keys: [{ ...authn.publicKey.export({ format: "jwk" }), kid: "k" }] }));
  const maker = ProofMaker.generate();
  const memory = { keys: new ProofKeys(100), nonces: new NonceMint({ replica: "r" }), replays: new ReplayStore() };
  maker.remember(memory.nonces.current(monotonic));

  const alice = chainOf([{ id: "corp/alice", kind: "person", sid: newSessionId() }], ["corp/staff"]);
  const claims = credentialClaims({
    issuer: audience,
    audience,
    chain: childChain(alice, "release", newSessionId()),
    sessionStarts: [second - 20, second - 10],
    ceiling: ceilingOf([{ actions: [Action.USE], secrets: ["prod/*"], targets: ["*"] }]),
    binding: { kind: "dpop", thumbprint: maker.thumbprint },
    issuedAt: second,
    expiresAt: second + 600,
    sessionEndsAt: second + 3600,
    epoch: 3,
  });
  const cache = new CredentialCache(100);
  const verify = (token: string) => verifyCredential(token, { keys, issuer: audience, audience, now, cache });
  const prove = (proof: string, token: string) =>
    verifyProof(
      proof,
      {
        htu,
        requestHash: Buffer.from(sha256(request), "base64url"),
        credential: { tokenHash: sha256(token), thumbprint: maker.thumbprint },
        now,
        monotonic,
      },
      memory,
    );

  it("none is accepted that was not signed, none crashes, and the memory stays flat", async function () {
    this.timeout(30_000 + 5 * count);
    const random = randomFrom(seed);
    const token = await signCredential(claims, { key: authn.privateKey, kid: "k" });
    const [header, body] = [partOf(token, 0), partOf(token, 1)];
    const key = es256(authn.privateKey);
    const proofKey = es256(createPrivateKey({ key: maker.privateKey.export({ format: "jwk" }) as never, format: "jwk" }));
    const honest = partOf(maker.prove({ htu, request, credential: token }, now), 1);
    const proofHeader = partOf(maker.prove({ htu, request, credential: token }, now), 0);
    const kinds: Record<string, number> = {};
    let heap = 0;
    for (let n = 0; n < count; n++) {
      if (n === Math.floor(count / 4)) {
        collect();
        heap = process.memoryUsage().heapUsed;
      }
      const kind = random(5);
      if (kind === 0) {
        const mutated = mutateText(token, random);
        if (mutated === token) continue;
        assert.notEqual(verify(mutated).kind, "verified", mutated);
      } else if (kind === 1) {
        // Signed by authn's own key: what is read is what was written, or it is refused.
        const sent = jws(header, mutateJson(body, random), key);
        const verification = verify(sent);
        if (verification.kind === "verified") assert.deepEqual(readFrom(verification.credential), writtenIn(partOf(sent, 1)));
        countOne(kinds, verification.kind);
      } else if (kind === 2) {
        const sent = jws(mutateJson(header, random), body, key);
        const { alg, kid, typ } = partOf(sent, 0);
        if (verify(sent).kind === "verified") assert.deepEqual({ alg, kid, typ }, header);
      } else if (kind === 3) {
        const proof = jws(proofHeader, { ...honest, jti: `${n}`.padStart(16, "0") }, proofKey);
        const mutated = mutateText(proof, random);
        if (mutated !== proof) assert.notEqual(prove(mutated, token).kind, "verified", mutated);
      } else {
        const changed = mutateJson({ ...honest, jti: `${n}`.padStart(16, "1") }, random);
        const verification = prove(jws(random(2) === 0 ? proofHeader : mutateJson(proofHeader, random), changed, proofKey), token);
        if (verification.kind === "verified")
          for (const name of ["htm", "htu", "ath", "nonce", "rqh"]) assert.equal(changed[name], honest[name], JSON.stringify(changed));
      }
    }
    collect();
    const grown = process.memoryUsage().heapUsed - heap;
    assert.ok(grown < 24_000_000, `${grown} bytes more than after a quarter`);
    assert.ok((kinds.refused ?? 0) > 0 && (kinds.verified ?? 0) > 0, JSON.stringify(kinds));
    assert.equal(verify(token).kind, "verified");
    assert.equal(prove(jws(proofHeader, { ...honest, jti: "the-benign-twin-itself" }, proofKey), token).kind, "verified");
    // Found by a hundred thousand of these: the last character's bits that stand for nothing.
    const respelt = jws(proofHeader, { ...honest, jti: "the-spelling-is-another" }, proofKey);
    for (const other of alphabet.filter((one) => one !== respelt.at(-1)))
      assert.notEqual(prove(respelt.slice(0, -1) + other, token).kind, "verified", other);
    for (const other of alphabet.filter((one) => one !== token.at(-1)))
      assert.notEqual(verify(token.slice(0, -1) + other).kind, "verified", other);
    assert.equal(prove(respelt, token).kind, "verified");
    assert.notEqual(verify(`${encode(header)}.${encode(body)}.${"A".repeat(86)}`).kind, "verified");
  });
});

/** Base64url's (RFC 4648 §5). */
const alphabet = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"];

function countOne(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

const readFrom = ({ chain, sid, issuedAt, expiresAt, epoch, binding, issuer, audience: aud, ceiling, id }: Credential) => ({
  chain: chain.links.map(({ id: link, sid: session }) => [link, session]),
  groups: [...chain.groups],
  names: ceiling.entries.map(({ secrets, targets }) => [secrets, targets]),
  rest: [sid, issuedAt, expiresAt, epoch, binding.thumbprint, issuer, aud, id],
});

const writtenIn = (claims: Json) => {
  const { chain, groups, authorization_details: details, sid, iat, exp, epoch, cnf, iss, aud, jti } = claims as Json & { cnf: Json };
  return {
    chain: (chain as Json[]).map((link) => [link.id, link.sid]),
    groups: [...new Set(groups as string[])],
    names: (details as { secrets: string[]; targets: string[] }[]).map(({ secrets, targets }) => [
      [...new Set(secrets)],
      [...new Set(targets)],
    ]),
    rest: [sid, iat, exp, epoch, Object.values(cnf)[0], iss, aud, jti],
  };
};
