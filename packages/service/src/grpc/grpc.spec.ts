import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { ChannelCredentials, Client as GrpcClient, Metadata, type ServiceError } from "@grpc/grpc-js";
import { BrokerService, EvidenceService, Health, Refusal, ServerReflection, TokenService, WhoAmIRequestSchema } from "@sallyport/contracts";
import type { Call, Handlers } from "../handler.ts";
import { collect, refused, TestInstallation } from "../process/process.fixture.ts";
import type { RunningProcess } from "../process/run-process.ts";
import { maxMessageBytes } from "./limits.ts";
import { refusalOfError } from "./status.ts";

describe("a gRPC door", () => {
  let installation: TestInstallation;
  let running: RunningProcess;
  const calls: Call[] = [];
  let whoAmI: Handlers<typeof TokenService>["whoAmI"];
  let query: Handlers<typeof EvidenceService>["query"];

  before(async () => {
    installation = await TestInstallation.create();
    const unused = async () => ({});
    running = await installation.run({
      authn: ({ listeners }) => {
        listeners.agents.serve(TokenService, { exchange: unused, renew: unused, whoAmI: (request, call) => whoAmI(request, call) });
        listeners.agents.serve(EvidenceService, {
          query: (request, call) => query(request, call),
          async *tail() {},
          getCheckpoint: unused,
        });
        listeners.agents.serve(BrokerService, {
          list: unused,
          describe: unused,
          async *use() {},
          async *useUpload(requests, call) {
            calls.push(call);
            for await (const { part } of requests) if (part.case === "data") yield {};
          },
          write: unused,
          reveal: async () => ({}),
          requestAccess: unused,
          waitForAccess: unused,
        });
      },
    });
  });
  after(() => installation.end());
  beforeEach(() => {
    calls.length = 0;
    whoAmI = async (_request, call) => {
      calls.push(call);
      return { thumbprint: "t" };
    };
  });

  const agent = () => installation.agent(running, TokenService);
  const raw = () =>
    new GrpcClient(`127.0.0.1:${running.addresses.agents?.port}`, ChannelCredentials.createSsl(installation.file("services-ca.crt")), {
      "grpc.ssl_target_name_override": "localhost",
    });
  const send = (bytes: Buffer, metadata = new Metadata()) =>
    new Promise<ServiceError | null>((resolve) => {
      const client = raw();
      client.makeUnaryRequest(
        "/sallyport.authn.v1.TokenService/WhoAmI",
        (b: Buffer) => b,
        (b) => b,
        bytes,
        metadata,
        (error) => {
          client.close();
          resolve(error);
        },
      );
    });

  it("hands over the message, its bytes' hash, the headers and the time limit, and brings headers back", async () => {
    whoAmI = async (_request, call) => {
      calls.push(call);
      call.setHeader("dpop-nonce", "n1");
      return { thumbprint: "t" };
    };
    let headers: ReadonlyMap<string, string> = new Map();
    const options = {
      headers: { authorization: "DPoP x" },
      timeoutMs: 5000,
      onHeaders: (received: typeof headers) => (headers = received),
    };
    const answer = await agent().whoAmI({}, options);
    const [call] = calls;
    assert.equal(answer.thumbprint, "t");
    assert.equal(headers.get("dpop-nonce"), "n1");
    assert.equal(call?.metadata.get("authorization"), "DPoP x");
    assert.ok(Math.abs((call?.deadline ?? 0) - Date.now() - 5000) < 1500);
    assert.deepEqual(
      Buffer.from(call?.requestHash ?? []),
      createHash("sha256")
        .update(toBinary(WhoAmIRequestSchema, create(WhoAmIRequestSchema)))
        .digest(),
    );
    assert.equal(call?.peer.kind, "anonymous");
  });

  it("brings a refusal back with reason, sentence and facts, and its headers too", async () => {
    whoAmI = async (_request, call) => {
      call.setHeader("dpop-nonce", "n2");
      throw new Refusal("PROOF_REQUIRED", "Prove the key.", { metadata: { fact: "f" }, cause: new Error("inside") });
    };
    let nonce: string | undefined;
    const refusal = await refused(
      agent().whoAmI(
        {},
        {
          onHeaders: (headers) => {
            nonce = headers.get("dpop-nonce");
          },
        },
      ),
    );
    assert.deepEqual([refusal.reason, refusal.message, refusal.metadata.fact, nonce], ["PROOF_REQUIRED", "Prove the key.", "f", "n2"]);
  });

  it("says INTERNAL of anything else, and keeps the cause in the log", async () => {
    whoAmI = async () => {
      throw new Error("the cause");
    };
    const refusal = await refused(agent().whoAmI({}));
    assert.equal(refusal.reason, "INTERNAL");
    assert.doesNotMatch(refusal.message, /the cause/);
    assert.ok(installation.logged.some((line) => line.includes("the cause")));
  });

  it("refuses malformed messages, messages over 4 MiB, and a header sent twice, each with its reason", async () => {
    const reasonOf = async (error: ServiceError | null) => refusalOfError(error as ServiceError).reason;
    assert.equal(await reasonOf(await send(Buffer.from([0xff, 0xff, 0xff]))), "INVALID_REQUEST");
    assert.equal(await reasonOf(await send(Buffer.alloc(maxMessageBytes + 1))), "TOO_LARGE");
    const twice = new Metadata();
    twice.add("dpop", "a");
    twice.add("dpop", "b");
    const answer = await send(Buffer.alloc(0), twice);
    assert.equal(answer === null ? "accepted" : await reasonOf(answer), "INVALID_REQUEST");
    assert.equal(calls.length, 0);
  });

  it("tells the handler when the caller cancels, and when the deadline passes", async () => {
    const reasons: string[] = [];
    whoAmI = (_request, call) =>
      new Promise((_, reject) =>
        call.signal.addEventListener("abort", () => {
          reasons.push(call.signal.reason.message);
          reject(call.signal.reason);
        }),
      );
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(), 100);
    assert.equal((await refused(agent().whoAmI({}, { signal: cancel.signal }))).reason, "CANCELLED");
    assert.equal((await refused(agent().whoAmI({}, { timeoutMs: 100 }))).reason, "CANCELLED");
    while (reasons.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.match(reasons[0] as string, /cancelled/);
    // The caller's clock started first: where it runs out before ours does, the caller cancels.
    assert.match(reasons[1] as string, /deadline|cancelled/);
  });

  it("streams no faster than the caller reads, and stops the handler when the caller leaves", async () => {
    let made = 0;
    let stopped = false;
    query = async function* () {
      try {
        for (;;) {
          made++;
          yield { record: { record: Buffer.alloc(256 * 1024) } } as object;
        }
      } finally {
        stopped = true;
      }
    };
    let read = 0;
    for await (const _ of installation.agent(running, EvidenceService).query({})) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (++read === 5) break;
    }
    while (!stopped) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(made < 100, `${made} messages were made for ${read} read`);
  });

  it("ends a stream with a refusal after messages were sent", async () => {
    query = async function* () {
      yield {};
      throw new Refusal("CREDENTIAL_REVOKED", "It was revoked.");
    };
    const received: unknown[] = [];
    const refusal = await refused(
      (async () => {
        for await (const message of installation.agent(running, EvidenceService).query({})) received.push(message);
      })(),
    );
    assert.deepEqual([received.length, refusal.reason], [1, "CREDENTIAL_REVOKED"]);
  });

  it("carries both directions of a stream, and hashes its first message", async () => {
    async function* parts() {
      for (const text of ["one", "two", "three"]) yield { part: { case: "data" as const, value: Buffer.from(text) } };
    }
    const answers = await collect(installation.agent(running, BrokerService).useUpload(parts()));
    assert.equal(answers.length, 3);
    assert.equal(calls[0]?.requestHash.length, 32);
  });

  it("answers health checks and reflection", async () => {
    const health = installation.agent(running, Health);
    assert.equal((await health.check({ service: "" })).status, 1);
    assert.equal((await health.check({ service: TokenService.typeName })).status, 1);
    assert.equal((await health.check({ service: "no.such" })).status, 3);
    const ask = async (messageRequest: object) => {
      const requests = (async function* () {
        yield { messageRequest } as never;
      })();
      return (await collect(installation.agent(running, ServerReflection).serverReflectionInfo(requests)))[0]?.messageResponse;
    };
    const listed = await ask({ case: "listServices", value: "" });
    assert.ok(listed?.case === "listServicesResponse" && listed.value.service.some(({ name }) => name === TokenService.typeName));
    const file = await ask({ case: "fileContainingSymbol", value: `${TokenService.typeName}.WhoAmI` });
    assert.ok(file?.case === "fileDescriptorResponse" && file.value.fileDescriptorProto.length > 2);
    assert.equal((await ask({ case: "fileContainingSymbol", value: "no.such" }))?.case, "errorResponse");
  });
});
