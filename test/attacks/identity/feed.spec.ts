import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { FollowResponseSchema } from "@sallyport/contracts";
import { CredentialKeys, newSessionId } from "@sallyport/identity";
import { TrustState } from "../../../packages/service/src/gate/trust-state.ts";

const keyPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwk = (kid: string) => ({ ...keyPair().publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" });
const setOf = (...keys: unknown[]) => JSON.stringify({ keys });

/** Whoever can write to the feed, or replay it, must at most stop a service: never have it believe another key, or forget. */
const keySets: readonly [name: string, jwks: () => string][] = [
  ["that is no JSON", () => "<html>"],
  ["without keys", () => "{}"],
  ["that is empty", () => setOf()],
  ["of more keys than authn ever has", () => setOf(...Array.from({ length: 17 }, (_, n) => jwk(`${n}`)))],
  ["with a private key in it", () => setOf({ ...keyPair().privateKey.export({ format: "jwk" }), kid: "a" })],
  ["with a symmetric key in it", () => setOf(jwk("a"), { kty: "oct", k: "AAAA", kid: "b" })],
  [
    "with an RSA key in it",
    () => setOf(jwk("a"), { ...generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" }), kid: "b" }),
  ],
  ["with an Ed25519 key in it", () => setOf({ ...generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }), kid: "b" })],
  ["with two keys of one kid", () => setOf(jwk("a"), jwk("a"))],
  ["with a key without a kid", () => setOf({ ...jwk("a"), kid: undefined })],
  ["with a key for encryption", () => setOf({ ...jwk("a"), use: "enc" })],
  ["with a key for another algorithm", () => setOf({ ...jwk("a"), alg: "HS256" })],
  ["with a point off the curve", () => setOf({ ...jwk("a"), x: "A".repeat(43) })],
];

const known = setOf(jwk("a"));
const generation = "g".repeat(22);
const sid = newSessionId();
const revoked = (sequence: bigint, value = sid) => ({ sequence, subject: { case: "sessionId" as const, value } });

type Answer = MessageInitShape<typeof FollowResponseSchema>;
const answers: readonly [name: string, answer: Answer][] = [
  ["that names no generation", { generation: "" }],
  ["of an earlier epoch", { epoch: 4n }],
  ["of another generation with the same epoch", { generation: "h".repeat(22) }],
  ["of another generation with an earlier epoch", { generation: "h".repeat(22), epoch: 4n }],
  ["whose log ends before where it ended", { revocations: [revoked(1n)] }],
  ["that leaves a revocation out", { revocations: [revoked(4n, newSessionId())] }],
  ["that revokes what nobody knows", { revocations: [{ sequence: 3n }] }],
  ["with keys that cannot be read", { jwks: "{" }],
  ["that says it cannot vouch for its state", { stateUnavailable: true }],
  ["to a question that was never asked", { question: 99n }],
  ["to a question that was answered", { question: 1n }],
  ["to no question: a push", { question: 0n }],
];

describe("attacks on the feed of keys and revocations", () => {
  const heardOnce = () => {
    const state = new TrustState();
    const { question } = state.ask(0);
    state.hear(create(FollowResponseSchema, { question, generation, epoch: 5n, jwks: known, revocations: [revoked(1n), revoked(2n)] }));
    assert.equal(state.lease(1).held, true);
    return state;
  };
  const chain = { links: [{ id: "corp/alice", kind: "person", sid }] };
  const isRevoked = (state: TrustState) =>
    state.revocations.revokes({ chain: chain as never, sessionStarts: [1], issuedAt: 1, provider: "corp" }) !== undefined;

  for (const [name, jwks] of keySets) {
    it(`a key set ${name}: refused whole`, () => {
      assert.throws(() => CredentialKeys.parse(jwks()));
      const state = new TrustState();
      state.hear(create(FollowResponseSchema, { question: state.ask(0).question, generation, epoch: 5n, jwks: jwks() }));
      assert.equal(state.lease(1).held, false);
      assert.equal(state.keys, undefined);
    });
  }

  for (const [name, answer] of answers) {
    it(`an answer ${name}: no longer lease, nothing forgotten`, () => {
      const state = heardOnce();
      const { question } = state.ask(600);
      state.hear(create(FollowResponseSchema, { question, generation, epoch: 5n, ...answer }));
      assert.equal(state.lease(701).held, false, "the lease of the first question ends at 700 ms");
      assert.equal(isRevoked(state), true);
      assert.notEqual(state.keys?.get("a"), undefined);
    });
  }

  it("an answer that lay in a buffer for a second: no lease", () => {
    const state = heardOnce();
    const { question } = state.ask(100);
    state.hear(create(FollowResponseSchema, { question, generation, epoch: 5n }));
    assert.equal(state.lease(1_100).held, false);
  });

  it("an answer that forgets what it must not: only what lies before, as authn's log says, and never the keys", () => {
    const state = heardOnce();
    state.hear(create(FollowResponseSchema, { question: state.ask(600).question, generation, epoch: 5n, forgottenThrough: 0n }));
    assert.equal(isRevoked(state), true);
  });

  it("the benign twins renew the lease: an answer with news, one without, and one of a new generation with a higher epoch", () => {
    for (const news of [{}, { revocations: [revoked(3n, newSessionId())] }, { jwks: setOf(jwk("a"), jwk("b")) }]) {
      const state = heardOnce();
      state.hear(create(FollowResponseSchema, { question: state.ask(600).question, generation, epoch: 5n, ...news }));
      assert.equal(state.lease(1_299).held, true);
    }
    const state = heardOnce();
    const replaced = { generation: "h".repeat(22), epoch: 6n };
    state.hear(create(FollowResponseSchema, { question: state.ask(600).question, ...replaced }));
    state.hear(create(FollowResponseSchema, { question: state.ask(610).question, ...replaced }));
    assert.equal(state.lease(1_300).held, true);
  });
});
