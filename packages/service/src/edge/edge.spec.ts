import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { request } from "node:http";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BrokerService, EvidenceService, Refusal, TokenService, WhoAmIRequestSchema, WhoAmIResponseSchema } from "@sallyport/contracts";
import type { Call, Handlers } from "../handler.ts";
import { TestInstallation } from "../process/process.fixture.ts";
import type { RunningProcess } from "../process/run-process.ts";

describe("the HTTP door", () => {
  let installation: TestInstallation;
  let running: RunningProcess;
  let base: string;
  const calls: Call[] = [];
  let exchanged: unknown;
  let whoAmI: Handlers<typeof TokenService>["whoAmI"];

  before(async () => {
    installation = await TestInstallation.create();
    const unused = async () => ({});
    running = await installation.run({
      authn: ({ listeners }) => {
        listeners.edge
          .serve(TokenService, {
            exchange: async (request) => {
              exchanged = request;
              return {};
            },
            renew: unused,
            whoAmI: (request, call) => whoAmI(request, call),
          })
          .serve(EvidenceService, {
            async *query() {
              yield {};
              throw new Refusal("CREDENTIAL_REVOKED", "It was revoked.");
            },
            async *tail() {},
            getCheckpoint: unused,
          })
          .serve(BrokerService, {
            list: unused,
            describe: unused,
            async *use() {},
            async *useUpload() {},
            write: async (request) => ({ version: JSON.stringify(Object.keys(request.fields)) }),
            reveal: async () => ({}),
            requestAccess: unused,
            waitForAccess: unused,
          })
          .route("POST", "/token", async ({ body, query, headers }) => {
            if (body.length === 0) throw new Refusal("INVALID_REQUEST", "Send a form.");
            return {
              status: 200,
              headers: { "content-type": "text/plain" },
              body: `${query.get("q")} ${headers.get("x-a")} ${body.length}`,
            };
          });
      },
    });
    base = `http://127.0.0.1:${running.addresses.edge?.port}`;
  });
  after(() => installation.end());
  beforeEach(() => {
    calls.length = 0;
    exchanged = undefined;
    whoAmI = async (_request, call) => {
      calls.push(call);
      call.setHeader("dpop-nonce", "n1");
      return { thumbprint: "t" };
    };
  });

  const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
    fetch(base + path, {
      method: "POST",
      body: typeof body === "string" ? body : new Uint8Array(body),
      headers: { "content-type": "application/json", ...headers },
    });
  const whoAmIPath = "/sallyport.authn.v1.TokenService/WhoAmI";
  const exchangePath = "/sallyport.authn.v1.TokenService/Exchange";
  const writePath = "/sallyport.broker.v1.BrokerService/Write";
  const reasonOf = async (response: Response) =>
    ((await response.json()) as { details: { debug: { reason: string } }[] }).details[0]?.debug.reason;

  it("serves the same handlers as JSON, with the body's hash and headers both ways", async () => {
    const response = await post(whoAmIPath, "{ }", { authorization: "DPoP x" });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("dpop-nonce"), "n1");
    assert.deepEqual(await response.json(), { thumbprint: "t" });
    assert.deepEqual([calls[0]?.door, calls[0]?.metadata.get("authorization")], ["edge", "DPoP x"]);
    assert.deepEqual(Buffer.from(calls[0]?.requestHash ?? []), createHash("sha256").update("{ }").digest());
  });

  it("serves binary Connect and gRPC-Web, hashing the message without its envelope", async () => {
    const message = toBinary(WhoAmIRequestSchema, create(WhoAmIRequestSchema));
    const plain = await post(whoAmIPath, message, { "content-type": "application/proto" });
    assert.equal(fromBinary(WhoAmIResponseSchema, new Uint8Array(await plain.arrayBuffer())).thumbprint, "t");
    const web = await post(whoAmIPath, Buffer.concat([Buffer.alloc(5), message]), { "content-type": "application/grpc-web+proto" });
    const bytes = Buffer.from(await web.arrayBuffer());
    assert.equal(fromBinary(WhoAmIResponseSchema, bytes.subarray(5, 5 + bytes.readUInt32BE(1))).thumbprint, "t");
    assert.match(bytes.toString("latin1"), /grpc-status: 0/);
    for (const call of calls) assert.deepEqual(Buffer.from(call.requestHash), createHash("sha256").update(message).digest());
  });

  it("says a refusal with the reason table's status, its facts and headers", async () => {
    whoAmI = async (_request, call) => {
      call.setHeader("dpop-nonce", "n2");
      throw new Refusal("APPROVAL_REQUIRED", "Ask for approval.", { metadata: { access_request_id: "r1" } });
    };
    const response = await post(whoAmIPath, "{}");
    const body = (await response.json()) as { code: string; message: string; details: { debug: { reason: string; metadata: object } }[] };
    assert.deepEqual([response.status, body.code, body.message], [403, "failed_precondition", "Ask for approval."]);
    assert.deepEqual(body.details[0]?.debug.metadata, { access_request_id: "r1" });
    assert.equal(response.headers.get("dpop-nonce"), "n2");
  });

  it("keeps the cause of a failure in the log", async () => {
    whoAmI = async () => {
      throw new Error("the cause");
    };
    const response = await post(whoAmIPath, "{}");
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /the cause/);
  });

  it("streams answers, and ends a stream with a refusal", async () => {
    const envelope = Buffer.concat([Buffer.alloc(5), Buffer.from("{}")]);
    envelope.writeUInt32BE(2, 1);
    const response = await post("/sallyport.audit.v1.EvidenceService/Query", envelope, { "content-type": "application/connect+json" });
    const text = await response.text();
    assert.match(text, /CREDENTIAL_REVOKED|It was revoked/);
  });

  it("refuses a name said twice, also under its other spelling, and lets a map's keys be", async () => {
    const twice = [
      `{"agentName":"a","agentName":"b"}`,
      `{"agentName":"a","agent_name":"b"}`,
      `{"ceiling":{"entries":[{"secrets":["a"],"secrets":["*"]}]}}`,
      `{"agentName":"a","agent\\u004eame":"b"}`,
    ];
    for (const body of twice) {
      const response = await post(exchangePath, body);
      assert.deepEqual([response.status, await reasonOf(response)], [400, "INVALID_REQUEST"], body);
    }
    assert.equal(exchanged, undefined);
    assert.equal((await post(writePath, `{"secret":"s","fields":{"a":"","a":""}}`)).status, 400);
    const distinct = await post(writePath, `{"secret":"s","fields":{"a_b":"","aB":"","secret":""}}`);
    assert.deepEqual(await distinct.json(), { version: '["a_b","aB","secret"]' });
  });

  it("refuses what is malformed, unknown, compressed, too deep or too large", async () => {
    const outcomes = [
      await post(exchangePath, "{"),
      await post(exchangePath, `{"noSuchField":1}`),
      await post(exchangePath, "{}", { "content-encoding": "gzip" }),
      await post(exchangePath, "[".repeat(100_000)),
      await post(exchangePath, Uint8Array.of(0x22, 0xff, 0x22)),
      await post(exchangePath, Uint8Array.of(0xff, 0xff), { "content-type": "application/proto" }),
      await post(exchangePath, "{}", { "content-type": "text/plain" }),
      await post(exchangePath, Buffer.concat([Buffer.from([1, 0, 0, 0, 0])]), { "content-type": "application/grpc-web" }),
    ];
    for (const outcome of outcomes) assert.equal(outcome.status, 400, await outcome.text());
    const large = await post(exchangePath, Buffer.alloc(5 * 1024 * 1024, 32));
    assert.deepEqual([large.status, await reasonOf(large)], [413, "TOO_LARGE"]);
    assert.equal((await fetch(base + whoAmIPath)).status, 405);
    assert.equal((await fetch(`${base}/nothing`)).status, 404);
    assert.equal((await post("/sallyport.broker.v1.BrokerService/UseUpload", "")).status, 400);
  });

  it("answers one that is too large each time, with its length declared or not: the answer is not lost with the connection", async () => {
    for (let times = 0; times < 5; times++) {
      const declared = await post(exchangePath, Buffer.alloc(6 * 1024 * 1024, 32));
      assert.equal(await reasonOf(declared), "TOO_LARGE");
      const answer = await fetch(base + exchangePath, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: new Blob([Buffer.alloc(6 * 1024 * 1024, 32)]).stream(),
        duplex: "half",
      } as RequestInit);
      assert.deepEqual([answer.status, await reasonOf(answer)], [413, "TOO_LARGE"]);
    }
  });

  it("never repeats a value that it could not read", async () => {
    const response = await post(writePath, `{"secret":"s","fields":{"a":"canary 4711"},"afterVersion":7}`);
    assert.equal(response.status, 400);
    assert.doesNotMatch((await response.text()) + installation.logged.join(""), /4711/);
    assert.match(await (await post(exchangePath, `{"noSuchField":1}`)).text(), /no field noSuchField/);
  });

  it("refuses a header sent twice", async () => {
    const status = await new Promise<number | undefined>((resolve) => {
      const headers = ["host", "x", "content-type", "application/json", "authorization", "a", "authorization", "b"];
      request(base + whoAmIPath, { method: "POST", headers }, (response) => resolve(response.statusCode)).end("{}");
    });
    assert.equal(status, 400);
    assert.equal(calls.length, 0);
  });

  it("serves plain routes, whose refusals look the same", async () => {
    const response = await post("/token?q=1", "abc", { "x-a": "2" });
    assert.equal(await response.text(), "1 2 3");
    assert.equal((await post("/token", "")).status, 400);
  });

  it("ends a call whose time limit passes", async () => {
    let reason = "";
    whoAmI = (_request, call) =>
      new Promise((_, reject) =>
        call.signal.addEventListener("abort", () => {
          reason = call.signal.reason.message;
          reject(call.signal.reason);
        }),
      );
    const response = await post(whoAmIPath, "{}", { "connect-timeout-ms": "100" });
    assert.notEqual(response.status, 200);
    assert.match(reason, /deadline/);
  });
});
