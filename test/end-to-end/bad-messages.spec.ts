import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  BrokerService,
  DelegationService,
  DescribeRequestSchema,
  EvidenceService,
  ReviewService,
  RevocationService,
  TokenService,
} from "@sallyport/contracts";
import type { Agent } from "@sallyport/sdk";
import fc from "fast-check";
import { mustRun } from "../demo/process.ts";
import { settledEvidence, usesIn } from "../faults/evidence-log.ts";
import { type Recorder, startRecorder } from "../faults/recorder.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { read, refusalOf } from "../faults/told.ts";
import { edgeCall } from "./edge-call.ts";
import { hostileMessage } from "./hostile-message.ts";
import { rawCall } from "./raw-call.ts";
import { type Declared, upload } from "./upload.ts";

const describeUrl = `/${BrokerService.typeName}/${BrokerService.method.describe.name}`;

describe("bad messages", () => {
  let site: Site;
  let agent: Agent;
  let uploads: Recorder;
  before(async function () {
    this.timeout(120_000);
    uploads = await startRecorder();
    site = await embeddedSite({
      configure: ({ targets }) => {
        const allow = [{ method: "POST", path: "/v1/upload/{id}" }];
        targets.uploads = { ...targets["orders-read"], baseUrl: uploads.url, maxBodyBytes: 2_000_000, allow };
      },
    });
    agent = await site.agent();
  });
  after(async () => {
    await site?.stop();
    await uploads?.stop();
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

  describe("TOKN-05: a proof", () => {
    const bytes = toBinary(DescribeRequestSchema, create(DescribeRequestSchema, { secret: "prod/orders/read" }));
    const show = (dpop: string) =>
      rawCall(site.endpoints, describeUrl, bytes, { authorization: `DPoP ${agent.session.credential.token}`, dpop });
    const proofFor = async (htu: string) => {
      // Any call brings the nonce.
      await agent.describe("prod/orders/read");
      const { session } = agent;
      return session.proofs.prove({ htu, request: bytes, credential: session.credential.token, peer: session.endpoints.broker });
    };
    const audience = "https://demo.internal";

    for (const [what, htu] of [
      ["in other letters, with the port that goes without saying", `HTTPS://Demo.Internal:443${describeUrl}`],
      ["with a letter escaped", `${audience}${describeUrl.replace("Describe", "%44escribe")}`],
      ["with a query", `${audience}${describeUrl}?x=1`],
    ] as const) {
      it(`whose address is the same ${what} is taken, once`, async () => {
        const proof = await proofFor(htu);
        const first = await show(proof);
        assert.equal(first.code, 0, first.details);
        const again = await show(proof);
        assert.equal(again.reason, "PROOF_INVALID", again.details);
      });
    }

    for (const [what, htu] of [
      ["another method's", `${audience}/${BrokerService.typeName}/${BrokerService.method.use.name}`],
      ["another host's", `https://evil.example${describeUrl}`],
      ["without TLS", `http://demo.internal${describeUrl}`],
      ["with a slash behind", `${audience}${describeUrl}/`],
      ["on another port", `${audience}:8443${describeUrl}`],
      ["a path alone", describeUrl],
    ] as const) {
      it(`whose address is ${what}: PROOF_INVALID`, async () => {
        const answer = await show(await proofFor(htu));
        assert.equal(answer.reason, "PROOF_INVALID", answer.details);
      });
    }
  });

  describe("whatever is in a message of a caller who may be here", () => {
    let other: Agent;
    before(async () => {
      // Its own: it may well narrow itself.
      other = await site.agent("hostile");
    });
    const services = [BrokerService, ReviewService, TokenService, DelegationService, RevocationService, EvidenceService];
    for (const method of services.flatMap(({ methods }) => methods).filter(({ methodKind }) => methodKind !== "bidi_streaming")) {
      it(`${method.parent.name}.${method.name}: an answer, or a refusal with its reason`, async () => {
        const path = `/${method.parent.typeName}/${method.name}`;
        const { session } = other;
        await fc.assert(
          fc.asyncProperty(hostileMessage(method.input), async (message) => {
            const bytes = toBinary(method.input, message);
            const credential = session.credential.token;
            const proof = () => session.proofs.prove({ htu: session.endpoints.audience + path, request: bytes, credential, peer: "raw" });
            const call = () => rawCall(session.endpoints, path, bytes, { authorization: `DPoP ${credential}`, dpop: proof() }, 2_000);
            let answer = await call();
            if (answer.reason === "PROOF_REQUIRED" && answer.nonce !== undefined) {
              session.proofs.remember(answer.nonce, "raw");
              answer = await call();
            }
            if (answer.code === 0 || (answer.code === 4 && method.methodKind === "server_streaming")) return;
            assert.ok(answer.reason !== undefined && answer.reason !== "INTERNAL", `${answer.code} ${answer.reason} ${answer.details}`);
            assert.doesNotMatch(answer.reason, /^PROOF_/, "it was looked at");
          }),
          { numRuns: 15, interruptAfterTimeLimit: 1_500 },
        );
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
    const call = (method: typeof describing | typeof use, body: string) => edgeCall(agent.session, site.edge, method, body);
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

  describe("afterwards", () => {
    it("none of it ended a service or was a fault of its own, and each use has exactly one outcome", async () => {
      assert.equal(await site.services.broker.serves(), true);
      await read(agent, "/v1/orders/still-well");
      for (const { intent, outcomes } of usesIn(await settledEvidence(site.log))) assert.equal(outcomes.length, 1, intent.metadata.uid);
      await mustRun(["audit", "verify", "--log", site.log]);
      assert.doesNotMatch(readFileSync(site.services.broker.logFile, "utf8"), /unhandled|uncaught|a handler failed/i);
    });
  });
});
