import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { BrokerService, ListRequestSchema, Refusal, TokenService, type UseUploadRequest } from "@sallyport/contracts";
import { ProofMaker, sha256 } from "@sallyport/identity";
import type { CallOptions, Client } from "@sallyport/service/client";
import { type Holder, provenClient } from "./proven-client.ts";

const audience = "https://example.internal/";
const wantsNonce = (nonce: string) => new Refusal("PROOF_REQUIRED", "Bring a nonce.", { metadata: { "dpop-nonce": nonce } });
const claimsOf = (options: CallOptions | undefined) =>
  JSON.parse(Buffer.from(options?.headers?.dpop?.split(".")[1] ?? "", "base64url").toString());

describe("a client that proves its calls", () => {
  let calls: { request: unknown; options: CallOptions | undefined }[];
  let renewals: number;
  let holder: Holder;

  beforeEach(() => {
    calls = [];
    renewals = 0;
    holder = {
      proofs: ProofMaker.generate(),
      audience,
      credential: async () => `credential-${renewals}`,
      renew: async () => {
        renewals++;
      },
    };
  });

  /** Answers each call with what the next of the answers is or throws. */
  const brokerThat = (...answers: (Refusal | object)[]) => {
    const next = (request: unknown, options?: CallOptions) => {
      calls.push({ request, options });
      const answer = answers.shift() ?? new Refusal("INTERNAL", "asked once too often");
      if (answer instanceof Refusal) throw answer;
      return answer;
    };
    const fake = {
      list: async (request: unknown, options?: CallOptions) => next(request, options),
      use: async function* (request: unknown, options?: CallOptions) {
        const answer = next(request, options) as unknown[];
        for (const part of answer) {
          if (part instanceof Refusal) throw part;
          yield part;
        }
      },
      useUpload: async function* (requests: AsyncIterable<UseUploadRequest>, options?: CallOptions) {
        const seen: string[] = [];
        for await (const { part } of requests)
          seen.push(part.case === "data" ? Buffer.from(part.value as Uint8Array).toString() : String(part.case));
        yield next(seen, options);
      },
    };
    return provenClient(BrokerService, fake as unknown as Client<typeof BrokerService>, holder, "peer");
  };

  it("signs method, credential and exactly the bytes that are sent", async () => {
    await brokerThat({ secrets: [] }).list({ prefix: "prod" });
    const { options } = calls[0]!;
    const claims = claimsOf(options);
    assert.equal(claims.htu, "https://example.internal/sallyport.broker.v1.BrokerService/List");
    assert.equal(claims.rqh, sha256(toBinary(ListRequestSchema, create(ListRequestSchema, { prefix: "prod" }))));
    assert.equal(claims.ath, sha256("credential-0"));
    assert.equal(options?.headers?.authorization, "DPoP credential-0");
  });

  it("brings the nonce that a server names, and makes the call once more with a new proof", async () => {
    await brokerThat(wantsNonce("n1"), { secrets: [] }).list({});
    assert.equal(calls.length, 2);
    const [first, second] = calls.map(({ options }) => claimsOf(options));
    assert.equal(first.nonce, undefined);
    assert.equal(second.nonce, "n1");
    assert.notEqual(first.jti, second.jti);
  });

  it("keeps the nonce for the next call, and takes a newer one from an answer's headers", async () => {
    const broker = brokerThat(wantsNonce("n1"), {}, {}, {});
    await broker.list({});
    await broker.list({});
    calls.at(-1)?.options?.onHeaders?.(new Map([["dpop-nonce", "n2"]]));
    await broker.list({});
    assert.deepEqual(
      calls.slice(2).map(({ options }) => claimsOf(options).nonce),
      ["n1", "n2"],
    );
  });

  it("does not go on asking a server that never has enough", async () => {
    await refusal("PROOF_REQUIRED", brokerThat(wantsNonce("n1"), wantsNonce("n2"), {}).list({}));
    assert.equal(calls.length, 2);
  });

  it("makes no call again that was refused for anything else", async () => {
    await refusal("PROOF_INVALID", brokerThat(new Refusal("PROOF_INVALID", "No.", { metadata: { "dpop-nonce": "n1" } }), {}).list({}));
    await refusal("PROOF_REQUIRED", brokerThat(new Refusal("PROOF_REQUIRED", "No nonce named."), {}).list({}));
    assert.equal(calls.length, 2);
  });

  it("renews inside a ceiling that was narrowed above it, once", async () => {
    const narrowed = new Refusal("CREDENTIAL_REVOKED", "Narrowed.", { metadata: { revoked_by: "narrowed" } });
    await brokerThat(narrowed, wantsNonce("n1"), {}).list({});
    assert.equal(calls.at(-1)?.options?.headers?.authorization, "DPoP credential-1");
    await refusal("CREDENTIAL_REVOKED", brokerThat(narrowed, narrowed, {}).list({}));
    assert.equal(renewals, 2);
  });

  it("does not renew what was revoked, nor a renewal by renewing", async () => {
    await refusal(
      "CREDENTIAL_REVOKED",
      brokerThat(new Refusal("CREDENTIAL_REVOKED", "Gone.", { metadata: { revoked_by: "session" } })).list({}),
    );
    const narrowed = async () => {
      throw new Refusal("CREDENTIAL_REVOKED", "Narrowed.", { metadata: { revoked_by: "narrowed" } });
    };
    const tokens = provenClient(TokenService, { renew: narrowed } as unknown as Client<typeof TokenService>, holder, "peer");
    await refusal("CREDENTIAL_REVOKED", tokens.renew({}));
    assert.equal(renewals, 0);
  });

  it("begins a stream anew only where nothing of it had come", async () => {
    const whole = await collect(brokerThat(wantsNonce("n1"), ["a", "b"]).use({}));
    assert.deepEqual(whole, ["a", "b"]);
    calls = [];
    await refusal("PROOF_REQUIRED", collect(brokerThat(["a", wantsNonce("n2")], ["a", "b"]).use({})));
    assert.equal(calls.length, 1);
  });

  it("asks for a nonce with the head alone before it sends a stream that it could not send twice", async () => {
    let sent = 0;
    const pieces = async function* () {
      yield { part: { case: "head" as const, value: {} } };
      for (const text of ["x", "y"]) {
        sent++;
        yield { part: { case: "data" as const, value: Buffer.from(text) } };
      }
    };
    holder.proofs.remember("stale", "peer");
    const answer = await collect(brokerThat(wantsNonce("fresh"), { response: 1 }).useUpload(pieces()));
    assert.deepEqual(answer, [{ response: 1 }]);
    assert.deepEqual(
      calls.map(({ request }) => request),
      [["head"], ["head", "x", "y"]],
    );
    assert.deepEqual(
      calls.map(({ options }) => claimsOf(options).nonce),
      [undefined, "fresh"],
    );
    assert.equal(sent, 2);
  });
});

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const refusal = (reason: string, call: Promise<unknown>) =>
  assert.rejects(call, (error) => error instanceof Refusal && error.reason === reason);
