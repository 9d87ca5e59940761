import { createHash, generateKeyPairSync } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { metrics, ROOT_CONTEXT } from "@opentelemetry/api";
import { Action, type FollowRequest, type FollowResponse, FollowResponseSchema, type Revocation, TokenService } from "@sallyport/contracts";
import {
  type CredentialBinding,
  type CredentialFacts,
  ceilingOf,
  chainOf,
  childChain,
  credentialClaims,
  NonceMint,
  newSessionId,
  ProofKeys,
  ProofMaker,
  ReplayStore,
  signCredential,
} from "@sallyport/identity";
import { pino } from "pino";
import type { Call, Door, PeerIdentity } from "../handler.ts";
import type { Host } from "../host.ts";
import type { ProofMemories } from "./proof-memory.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** The key set of the authn that these specs play with. */
export const someJwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "key-1" }] });

export const audience = "https://example.internal";

/** Epoch milliseconds at which the specs begin. */
export const startedAt = 1_700_000_000_000;

/** A clock that a spec moves. */
export class HandClock {
  #passed = 0;

  now = () => startedAt + this.#passed;
  monotonic = () => 1_000_000 + this.#passed;

  pass(ms: number): void {
    this.#passed += ms;
  }
}

type Answer = Partial<Omit<FollowResponse, "$typeName" | "$unknown">>;

/** An authn's feed that answers at once, unless told to be silent, and pushes when told. */
export class FakeAuthn {
  answer: Answer = { generation: "g1", epoch: 1n };
  readonly revocations: Revocation[] = [];
  silent = false;
  asked = 0;
  streams = 0;
  #push: (response: FollowResponse) => void = () => undefined;

  /** Revokes, and pushes it as authn does. */
  revoke(subject: Revocation["subject"], at: number): void {
    const sequence = BigInt(this.revocations.length + 1);
    this.revocations.push({ $typeName: "sallyport.authn.v1.Revocation", sequence, subject, at: timestampFromMs(at) });
    this.push({ revocations: this.revocations.slice(-1) });
  }

  push(changes: Answer): void {
    this.#push(create(FollowResponseSchema, { ...this.answer, ...changes }));
  }

  readonly follow = (
    requests: AsyncIterable<Pick<FollowRequest, "question" | "afterSequence">>,
    options: { signal?: AbortSignal } = {},
  ): AsyncIterable<FollowResponse> => {
    this.streams += 1;
    const queue: FollowResponse[] = [];
    let wake = Promise.withResolvers<void>();
    const put = (response: FollowResponse) => {
      queue.push(response);
      wake.resolve();
    };
    this.#push = put;
    options.signal?.addEventListener("abort", () => wake.resolve());
    void (async () => {
      for await (const { question, afterSequence } of requests) {
        this.asked += 1;
        if (this.silent) continue;
        const revocations = this.revocations.filter(({ sequence }) => sequence > afterSequence);
        put(create(FollowResponseSchema, { jwks: someJwks, ...this.answer, question, revocations }));
      }
    })();
    return (async function* () {
      while (!options.signal?.aborted) {
        await wake.promise;
        wake = Promise.withResolvers<void>();
        yield* queue.splice(0);
      }
    })();
  };
}

export function fakeHost(authn: FakeAuthn, clock: Host["clock"] = new HandClock()): Host {
  return {
    role: "broker",
    config: { audience, authn: { sessionSeconds: 3600 } },
    clock,
    log: pino({ enabled: false }),
    telemetry: { meter: metrics.getMeter("spec") },
    peers: { client: () => authn },
  } as unknown as Host;
}

/** The proof memories of one replica; `capacity` of what it can remember. */
export function memories(replica = "replica-1", capacity = 1000): ProofMemories {
  const shared = { keys: new ProofKeys(), nonces: new NonceMint({ replica }) };
  return { held: { ...shared, replays: new ReplayStore(capacity) }, bare: { ...shared, replays: new ReplayStore(capacity) } };
}

/** alice → release → deploy: the deploy agent, with its key and its credential. */
export async function deployAgent(changes: Partial<CredentialFacts> = {}, maker = ProofMaker.generate()) {
  const issued = Math.floor(startedAt / 1000);
  const alice = chainOf([{ id: "corp/alice", kind: "person", sid: newSessionId() }], ["corp/release-team"]);
  const chain = childChain(childChain(alice, "release", newSessionId()), "deploy", newSessionId());
  const binding: CredentialBinding = { kind: "dpop", thumbprint: maker.thumbprint };
  const facts: CredentialFacts = {
    issuer: audience,
    audience,
    chain,
    sessionStarts: [issued - 30, issued - 20, issued - 10],
    ceiling: ceilingOf([{ actions: [Action.USE], secrets: ["prod/*"], targets: ["*"] }]),
    binding,
    issuedAt: issued,
    expiresAt: issued + 600,
    sessionEndsAt: issued - 30 + 3600,
    epoch: 1,
    ...changes,
  };
  return { maker, chain, token: await signCredential(credentialClaims(facts), { key: privateKey, kid: "key-1" }) };
}

/** A call of `TokenService.Renew`, as a listener would hand it on; `answered` are its response headers. */
export function callWith(
  metadata: Record<string, string | undefined>,
  door: Door = "agents",
  peer: PeerIdentity = { kind: "anonymous", address: "127.0.0.1" },
) {
  const answered = new Map<string, string>();
  const call: Call = {
    method: TokenService.method.renew,
    door,
    peer,
    signal: new AbortController().signal,
    deadline: undefined,
    metadata: new Map(Object.entries(metadata).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    requestHash: createHash("sha256").update(request).digest(),
    trace: ROOT_CONTEXT,
    setHeader: (name, value) => void answered.set(name, value),
  };
  return { call, answered };
}

/** The bytes of the request that {@link callWith} makes. */
export const request = Buffer.from("a request");

/** The `htu` of that call. */
export const htu = `${audience}/sallyport.authn.v1.TokenService/Renew`;
