import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { BrokerService, DescribeRequestSchema } from "@sallyport/contracts";
import { scanFor } from "@sallyport/masking";
import type { Agent, UseOptions } from "@sallyport/sdk";
import { freePorts } from "../demo/free-port.ts";
import { mustRun, printed } from "../demo/process.ts";
import { scanFolder } from "../demo/scan.ts";
import { settledEvidence, usesIn } from "../faults/evidence-log.ts";
import { type Recorder, startRecorder } from "../faults/recorder.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { read, refusalOf } from "../faults/told.ts";
import { startBadTarget } from "./bad-target.ts";
import { edgeCall } from "./edge-call.ts";
import { rawCall, saidBy } from "./raw-call.ts";
import { type Declared, upload } from "./upload.ts";

const canary = "snk-4411-QWER";
const describeUrl = `/${BrokerService.typeName}/${BrokerService.method.describe.name}`;

describe("bad input and bad targets", () => {
  let site: Site;
  let agent: Agent;
  let target: Awaited<ReturnType<typeof startBadTarget>>;
  let uploads: Recorder;
  /** Whatever reached a caller. */
  const said: string[] = [];

  before(async function () {
    this.timeout(120_000);
    [target, uploads] = await Promise.all([startBadTarget(canary), startRecorder()]);
    const [nobody] = await freePorts(1);
    site = await embeddedSite({
      canary,
      configure: ({ targets }) => {
        const like = targets["orders-read"];
        targets.bad = {
          ...like,
          baseUrl: target.url,
          inject: { header: { name: "x-api-key", field: "token" } },
          allow: ["GET", "POST"].map((method) => ({ method, path: "/{how}" })),
          timeoutSeconds: 0.5,
        };
        targets.nobody = { ...like, baseUrl: `http://127.0.0.1:${nobody}` };
        targets.metadata = { ...like, baseUrl: "http://169.254.169.254" };
        targets.uploads = { ...like, baseUrl: uploads.url, maxBodyBytes: 2_000_000, allow: [{ method: "POST", path: "/v1/upload/{id}" }] };
        targets.small = { ...like, maxBodyBytes: 1024, allow: [{ method: "POST", path: "/v1/orders/{id}" }] };
      },
    });
    agent = await site.agent();
  });
  after(async () => {
    await site?.stop();
    await Promise.all([target?.stop(), uploads?.stop()]);
  });

  const refused = async (options: UseOptions) => {
    const refusal = await refusalOf(() => agent.use(options).then((answer) => answer.text()));
    said.push(saidBy(refusal));
    assert.ok(refusal.message.length > 20, refusal.message);
    return refusal;
  };

  describe("what an agent must not send", () => {
    const cases: [string, UseOptions, string][] = [
      ["a header with CR/LF", { target: "orders-read", path: "/v1/orders/1", headers: { "x-a": "1\r\nx-b: 2" } }, "INVALID_REQUEST"],
      [
        "a header of the broker's",
        { target: "orders-read", path: "/v1/orders/1", headers: { authorization: "Bearer x" } },
        "INVALID_REQUEST",
      ],
      ["a Host header", { target: "orders-read", path: "/v1/orders/1", headers: { host: "evil.example" } }, "INVALID_REQUEST"],
      ["a path with ..", { target: "orders-read", path: "/v1/orders/../refunds" }, "INVALID_REQUEST"],
      ["a path with %2e%2e", { target: "orders-read", path: "/v1/orders/%2e%2e/refunds" }, "INVALID_REQUEST"],
      ["a path that is a host", { target: "orders-read", path: "@evil.example/v1/orders/1" }, "INVALID_REQUEST"],
      ["a path with two slashes first", { target: "orders-read", path: "//evil.example/v1/orders/1" }, "INVALID_REQUEST"],
      ["a whole URL", { target: "orders-read", path: "http://evil.example/v1/orders/1" }, "INVALID_REQUEST"],
      ["a path that is not allowed", { target: "orders-read", path: "/v1/refunds" }, "DESTINATION_NOT_ALLOWED"],
      ["a method in small letters", { target: "orders-read", method: "get", path: "/v1/orders/1" }, "INVALID_REQUEST"],
      ["a target that there is not", { target: "nowhere", path: "/v1/orders/1" }, "DENIED_BY_POLICY"],
      ["a body over the target's limit", { target: "small", method: "POST", path: "/v1/orders/1", body: "x".repeat(2048) }, "TOO_LARGE"],
      ["a private address that is not allowed", { target: "metadata", path: "/v1/orders/1" }, "DESTINATION_NOT_ALLOWED"],
    ];
    for (const [what, options, reason] of cases) {
      it(`${what}: ${reason}`, async () => {
        const served = site.api.served.length;
        const refusal = await refused(options);
        assert.equal(refusal.reason, reason, refusal.message);
        assert.equal(site.api.served.length, served);
      });
    }

    it("benign twin: an encoded slash, a query and a header of its own pass", async () => {
      const answer = await agent.use({
        target: "orders-read",
        path: "/v1/orders/%40scope%2Fname?expand=lines",
        headers: { "x-request-id": "42", accept: "application/json" },
      });
      assert.equal(answer.status, 200);
      await answer.discard();
      assert.match(site.api.served.at(-1)?.path ?? "", /%40scope%2Fname\?expand=lines$/);
    });
  });

  describe("bytes that are no message", () => {
    for (const [what, bytes, reason] of [
      ["malformed bytes", Buffer.from("ffffffffffffff", "hex"), "INVALID_REQUEST"],
      ["a length beyond the end", Buffer.from("0a7f41", "hex"), "INVALID_REQUEST"],
      ["text that is not UTF-8", Buffer.from("0a02c328", "hex"), "INVALID_REQUEST"],
      ["an oversized message", Buffer.alloc(5 * 1024 * 1024, 0x41), "TOO_LARGE"],
    ] as const) {
      it(`${what}: ${reason}`, async () => {
        const answer = await rawCall(site.endpoints, describeUrl, bytes);
        said.push(answer.details, answer.status.toString("latin1"));
        assert.equal(answer.reason, reason, `${answer.code} ${answer.details}`);
      });
    }

    it("a method that there is not", async () => {
      const answer = await rawCall(site.endpoints, `/${BrokerService.typeName}/Steal`, Buffer.alloc(0));
      assert.equal(answer.code, 12, answer.details);
    });

    for (const [what, minutes] of [
      ["behind", -10],
      ["ahead", 10],
    ] as const) {
      it(`a clock 10 minutes ${what}: PROOF_INVALID, which says so`, async () => {
        await agent.describe("prod/orders/read");
        const { session } = agent;
        const bytes = toBinary(DescribeRequestSchema, create(DescribeRequestSchema, { secret: "prod/orders/read" }));
        const credential = session.credential.token;
        const subject = { htu: session.endpoints.audience + describeUrl, request: bytes, credential, peer: session.endpoints.broker };
        const dpop = session.proofs.prove(subject, Date.now() + minutes * 60_000);
        const answer = await rawCall(site.endpoints, describeUrl, bytes, { authorization: `DPoP ${credential}`, dpop });
        assert.equal(answer.reason, "PROOF_INVALID", answer.details);
        assert.match(answer.details, /clock|time/i);
        const now = session.proofs.prove(subject);
        const benign = await rawCall(site.endpoints, describeUrl, bytes, { authorization: `DPoP ${credential}`, dpop: now });
        assert.equal(benign.code, 0, benign.details);
      });
    }
  });

  describe("an upload that is not what its head declares", () => {
    const body = Buffer.alloc(300_000, 0x61);
    const good = { size: body.length, sha256: createHash("sha256").update(body).digest() };
    const send = (name: string, declared: Declared, pieces: readonly Uint8Array[] = [body]) =>
      upload(
        agent.session,
        undefined,
        name,
        async function* () {
          yield* pieces;
        },
        declared,
      );

    for (const [what, declared, pieces, reason, reaches] of [
      ["longer", { ...good, size: body.length - 1 }, [body], "INVALID_REQUEST", true],
      ["shorter", { ...good, size: body.length + 1 }, [body], "INVALID_REQUEST", true],
      ["another", good, [Buffer.alloc(body.length, 0x62)], "INVALID_REQUEST", true],
      ["nothing", good, [], "INVALID_REQUEST", true],
      ["a hash of 31 bytes", { ...good, sha256: good.sha256.subarray(1) }, [body], "INVALID_REQUEST", false],
      ["over the target's limit", { ...good, size: 2_000_001 }, [body], "TOO_LARGE", false],
      ["of 16 EiB", { ...good, size: 2n ** 64n - 1n }, [body], "TOO_LARGE", false],
      ["with a method that has none", { ...good, method: "GET" }, [body], "INVALID_REQUEST", false],
    ] as [string, Declared, Uint8Array[], string, boolean][]) {
      it(`${what}: ${reason}, and the target never has it whole`, async () => {
        const name = what.replaceAll(/\W+/g, "-");
        const refusal = await refusalOf(() => send(name, declared, pieces));
        said.push(saidBy(refusal));
        assert.equal(refusal.reason, reason, refusal.message);
        assert.ok(!uploads.whole.some((path) => path.endsWith(name)));
        if (!reaches) assert.ok(!uploads.arrived.some(({ path }) => path.endsWith(name)), "nothing of it was sent");
      });
    }

    it("benign twin: as it is declared, in small pieces and with empty ones between", async () => {
      const pieces = [body.subarray(0, 1), Buffer.alloc(0), body.subarray(1, 200_000), body.subarray(200_000), Buffer.alloc(0)];
      await send("as-declared", good, pieces);
      assert.ok(uploads.whole.includes("/v1/upload/as-declared"));
    });
  });

  describe("POLI-09: JSON over HTTP that two readers could understand differently", () => {
    const { describe: describing, use } = BrokerService.method;
    const call = async (method: typeof describing | typeof use, body: string) => {
      const answer = await edgeCall(agent.session, site.edge, method, body);
      said.push(answer.text);
      return answer;
    };
    const use1 = '"target":"orders-read","http":{"method":"GET","path":"/v1/orders/1"}';

    for (const [what, method, body, reason] of [
      ["a name twice", describing, '{"secret":"prod/orders/read","secret":"prod/payroll/db"}', "INVALID_REQUEST"],
      ["a name twice, once escaped", describing, '{"secret":"prod/orders/read","se\\u0063ret":"prod/payroll/db"}', "INVALID_REQUEST"],
      ["a name in other letters", describing, '{"Secret":"prod/orders/read"}', "INVALID_REQUEST"],
      ["one field under both its names", use, `{${use1},"accessRequestId":"a","access_request_id":"b"}`, "INVALID_REQUEST"],
      [
        "a name twice, further in",
        use,
        `{"target":"orders-read","http":{"method":"GET","path":"/v1/orders/1","path":"/v1/refunds"}}`,
        "INVALID_REQUEST",
      ],
      ["a field that there is not", describing, '{"secret":"prod/orders/read","reveal":true}', "INVALID_REQUEST"],
      ["a value of another type", describing, '{"secret":{"name":"prod/orders/read"}}', "INVALID_REQUEST"],
      ["half of it", describing, '{"secret":"prod/orders/re', "INVALID_REQUEST"],
      ["what is no JSON", describing, "secret=prod/orders/read", "INVALID_REQUEST"],
      ["half a character", describing, '{"secret":"\\ud800"}', "INVALID_REQUEST"],
      ["a thousand levels", describing, `${"[".repeat(1000)}${"]".repeat(1000)}`, "INVALID_REQUEST"],
      ["5 MiB", describing, `{"secret":"${"x".repeat(5 * 1024 * 1024)}"}`, "TOO_LARGE"],
    ] as const) {
      it(`${what}: ${reason}`, async () => {
        const served = site.api.served.length;
        const answer = await call(method, body);
        assert.equal(answer.reason, reason, `${answer.status} ${answer.text}`);
        assert.equal(answer.status, reason === "TOO_LARGE" ? 413 : 400);
        assert.equal(site.api.served.length, served);
      });
    }

    it("benign twin: each name once, in either spelling", async () => {
      for (const body of ['{"secret":"prod/orders/read"}', '{ "se\\u0063ret": "prod/orders/read" }']) {
        const answer = await call(describing, body);
        assert.deepEqual([answer.status, answer.reason], [200, undefined], answer.text);
        assert.match(answer.text, /prod\/orders\/read/);
      }
    });
  });

  describe("MASK-17: errors at every place a secret passes put it in no sink", () => {
    for (const [how, reasonOfGet, reasonOfPost] of [
      ["silent", "TARGET_UNAVAILABLE", "OUTCOME_UNKNOWN"],
      ["no-http", "TARGET_UNAVAILABLE", "OUTCOME_UNKNOWN"],
      ["bad-header", "TARGET_UNAVAILABLE", "OUTCOME_UNKNOWN"],
      ["breaks-off", "TARGET_UNAVAILABLE", "OUTCOME_UNKNOWN"],
      ["bad-gzip", "RESPONSE_UNINSPECTABLE", "RESPONSE_UNINSPECTABLE"],
      ["hangs-up", "TARGET_UNAVAILABLE", "OUTCOME_UNKNOWN"],
    ] as const) {
      it(`a target that is ${how}`, async () => {
        const began = performance.now();
        const get = await refused({ target: "bad", path: `/${how}` });
        assert.equal(get.reason, reasonOfGet, get.message);
        const post = await refused({ target: "bad", method: "POST", path: `/${how}`, body: "{}" });
        assert.equal(post.reason, reasonOfPost, post.message);
        assert.ok(performance.now() - began < 5_000);
      });
    }

    it("nobody listens at the target", async () => {
      assert.equal((await refused({ target: "nobody", path: "/v1/orders/1" })).reason, "TARGET_UNAVAILABLE");
    });

    it("the agent knows the value and sends it back in", async () => {
      await agent.use({ target: "orders-read", path: `/v1/orders/${canary}` }).then((answer) => answer.text());
      const held = await refused({
        target: "orders-api",
        method: "POST",
        path: "/v1/refunds",
        body: JSON.stringify({ note: canary, again: Buffer.from(canary).toString("base64") }),
      });
      assert.equal(held.reason, "APPROVAL_REQUIRED");
    });

    it("the store gives garbage", async () => {
      const file = join(site.folder, "vault", "secrets.jwe");
      const kept = readFileSync(file);
      try {
        writeFileSync(file, `${kept.subarray(0, 200)}garbage`);
        const refusal = await refused({ target: "orders-read", path: "/v1/orders/garbage" });
        assert.equal(refusal.reason, "STORE_UNAVAILABLE", refusal.message);
      } finally {
        writeFileSync(file, kept);
      }
      await read(agent, "/v1/orders/mended");
    });
  });

  describe("afterwards", () => {
    it("none of it ended a service, and each use has exactly one outcome", async () => {
      assert.equal(await site.services.broker.serves(), true);
      await read(agent, "/v1/orders/still-well");
      for (const { intent, outcomes } of usesIn(await settledEvidence(site.log))) assert.equal(outcomes.length, 1, intent.metadata.uid);
      await mustRun(["audit", "verify", "--log", site.log]);
      assert.doesNotMatch(readFileSync(site.services.broker.logFile, "utf8"), /unhandled|uncaught|a handler failed/i);
    });

    it("MASK-17: it is in no file, no output, no metric, no error and no review", async () => {
      const bob = await site.person("bob", ["release-approvers"]);
      const home = { env: { SALLYPORT_HOME: join(site.folder, "home") } };
      await mustRun(["login", "--id-token-stdin", "--profile", "bob", "-c", site.configFile], {
        input: await site.idToken("bob", ["release-approvers"]),
        ...home,
      });
      const reviews = await bob.reviews();
      assert.equal(reviews.length, 1);
      await mustRun(["reviews", "ls", "--profile", "bob"], home);
      await mustRun(["reviews", "show", reviews[0]?.id ?? "", "--profile", "bob", "-o", "json"], home);
      said.push(JSON.stringify(reviews, (_, value) => (typeof value === "bigint" ? String(value) : value)));
      said.push(await site.services.broker.metrics(), ...printed);
      await settledEvidence(site.log);
      // Its databases hold each page many times over while it runs.
      await site.services.broker.stop();
      for (const text of said) assert.deepEqual(scanFor(canary, Buffer.from(text)), [], text.slice(0, 500));
      const files = scanFolder(site.folder, canary);
      assert.ok(files.scanned > 5, `${files.scanned}`);
      assert.deepEqual(files.findings, []);
    });
  });
});
