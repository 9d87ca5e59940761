import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scanFor } from "@sallyport/masking";
import type { Agent, UseOptions } from "@sallyport/sdk";
import { freePorts } from "../demo/free-port.ts";
import { mustRun, printed } from "../demo/process.ts";
import { scanFolder } from "../demo/scan.ts";
import { settledEvidence, usesIn } from "../faults/evidence-log.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { read, refusalOf } from "../faults/told.ts";
import { startBadTarget } from "./bad-target.ts";
import { saidBy } from "./raw-call.ts";

const canary = "snk-4411-QWER";

describe("bad input and bad targets", () => {
  let site: Site;
  let agent: Agent;
  let target: Awaited<ReturnType<typeof startBadTarget>>;
  /** Whatever reached a caller. */
  const said: string[] = [];

  before(async function () {
    this.timeout(120_000);
    target = await startBadTarget(canary);
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
        targets.small = { ...like, maxBodyBytes: 1024, allow: [{ method: "POST", path: "/v1/orders/{id}" }] };
      },
    });
    agent = await site.agent();
  });
  after(async () => {
    await site?.stop();
    await target?.stop();
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

    it("says of a target that there is not no more than its name", async () => {
      const { message } = await refused({ target: "nowhere", path: "/v1/orders/1" });
      assert.match(message, /^This chain may not use at "nowhere", or there is no such name; ask /);
    });

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
      assert.equal((await refused({ target: "orders-read", path: `/v1/orders/${canary}` })).reason, "GUARDRAIL_BLOCKED");
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
