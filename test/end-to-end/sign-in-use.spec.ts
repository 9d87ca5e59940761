import assert from "node:assert/strict";
import { join } from "node:path";
import { ApproveRequestSchema, ReviewService } from "@sallyport/contracts";
import type { Agent, Person } from "@sallyport/sdk";
import { mustRun, sallyport } from "../demo/process.ts";
import { evidenceOnce, readEvidence, settledEvidence, terminalEvents } from "../faults/evidence-log.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { refusalOf } from "../faults/told.ts";
import { edgeCall, withUnknownField } from "./edge-call.ts";

const refund = { target: "orders-api", secret: "prod/orders/api", method: "POST", path: "/v1/refunds" };

describe("sign in, use, verify", () => {
  let site: Site;
  let agent: Agent;
  before(async function () {
    this.timeout(120_000);
    site = await embeddedSite();
    agent = await site.agent();
  });
  after(() => site?.stop());

  it("uses a secret that the agent never sees, and the log verifies", async () => {
    const answer = await agent.use({ target: "orders-read", path: "/v1/echo/raw" });
    const text = await answer.text();
    assert.equal(text, "your token is [sallyport:prod/orders/read#token], thank you");
    assert.equal(answer.maskedValues(), 1);
    const [outcome] = await evidenceOnce(site.log, "its outcome", (records) => terminalEvents(records, "/v1/echo/raw").length > 0).then(
      (records) => terminalEvents(records, "/v1/echo/raw"),
    );
    assert.equal(outcome?.unmapped.sallyport.intent_uid, answer.eventUid);
    assert.deepEqual(
      outcome?.unmapped.delegation?.map(({ id }) => id),
      ["ci/release-bot", "ci/release-bot#release"],
    );
    await mustRun(["audit", "verify", "--log", site.log]);
  });

  it("gives the same answer for a secret that is forbidden and for one that does not exist", async () => {
    for (const call of [
      (secret: string) => agent.describe(secret),
      (secret: string) => agent.use({ target: "orders-read", secret, path: "/v1/orders/1" }),
      (secret: string) => agent.use({ target: "payroll-api", secret, path: "/v1/orders/1" }),
      (secret: string) => agent.requestAccess({ target: "payroll-api", secret, path: "/v1/orders/1" }),
    ]) {
      const forbidden = await refusalOf(() => call("prod/payroll/db"));
      const missing = await refusalOf(() => call("prod/payroll/no"));
      assert.equal(forbidden.reason, "DENIED_BY_POLICY");
      assert.equal(missing.reason, "DENIED_BY_POLICY");
      assert.equal(missing.message.replaceAll("payroll/no", "payroll/db"), forbidden.message);
      assert.deepEqual(Object.keys(missing.metadata).sort(), Object.keys(forbidden.metadata).sort());
    }
  });

  it("gives the same answer for a target that is forbidden and for one that does not exist, and names no secret that it was not asked for", async () => {
    for (const call of [
      (target: string) => agent.use({ target, path: "/v1/orders/1" }),
      (target: string) => agent.use({ target, secret: "prod/payroll/db", path: "/v1/orders/1" }),
      (target: string) => agent.requestAccess({ target, path: "/v1/orders/1" }),
    ]) {
      const forbidden = await refusalOf(() => call("payroll-api"));
      const missing = await refusalOf(() => call("payroll-no"));
      assert.deepEqual([forbidden.reason, missing.reason], ["DENIED_BY_POLICY", "DENIED_BY_POLICY"]);
      assert.equal(missing.message.replaceAll("payroll-no", "payroll-api"), forbidden.message);
      assert.deepEqual(Object.keys(missing.metadata).sort(), Object.keys(forbidden.metadata).sort());
    }
    const { message } = await refusalOf(() => agent.use({ target: "payroll-api", path: "/v1/orders/1" }));
    assert.doesNotMatch(message, /payroll\/db/);
  });

  it("does not tell by another page that there are secrets which an agent may not list", async () => {
    const { broker } = agent.session;
    const page = await broker.list({ pageSize: 2 });
    assert.deepEqual(
      page.secrets.map(({ name }) => name),
      ["prod/orders/api", "prod/orders/read"],
    );
    assert.equal(page.nextPageToken, "", "prod/payroll/db comes after these");
    const first = await broker.list({ pageSize: 1 });
    assert.deepEqual([first.secrets.length, first.nextPageToken], [1, "prod/orders/api"]);
    const second = await broker.list({ pageSize: 1, pageToken: first.nextPageToken });
    assert.deepEqual([second.secrets[0]?.name, second.nextPageToken], ["prod/orders/read", ""]);
  });

  describe("AUDT-19: every door has the same one check of who approves", () => {
    let bob: Person;
    let outsider: Person;
    let id: string;
    let digest: string;
    const home = () => ({ env: { SALLYPORT_HOME: join(site.folder, "home") } });

    before(async () => {
      bob = await site.person("bob", ["release-approvers"]);
      outsider = await site.person("mallory", ["secret-keepers"]);
      const held = await refusalOf(() => agent.use({ ...refund, body: '{"order":19}' }));
      id = held.metadata.access_request_id as string;
      digest = (await bob.review(id)).digest;
      await mustRun(["login", "--id-token-stdin", "--profile", "mallory", "-c", site.configFile], {
        input: await site.idToken("mallory", ["secret-keepers"]),
        ...home(),
      });
    });

    it("a person who is no approver is refused alike by gRPC, by JSON over HTTP and by the command line", async () => {
      const named = withUnknownField(ApproveRequestSchema, { reviewId: id, digest, reason: "approver=corp/bob" }, 15, "corp/bob");
      const grpc = await refusalOf(() => outsider.session.reviews.approve(named as never));
      assert.equal(grpc.reason, "DENIED_BY_POLICY");
      const json = await edgeCall(
        outsider.session,
        site.edge,
        ReviewService.method.approve,
        JSON.stringify({ reviewId: id, digest, reason: "approver=corp/bob" }),
      );
      assert.deepEqual([json.status, json.reason], [403, "DENIED_BY_POLICY"], json.text);
      assert.ok(json.text.includes(grpc.message), json.text);
      const cli = await sallyport(
        ["reviews", "approve", id, "--digest", digest, "--reason", "approver=corp/bob", "--profile", "mallory"],
        home(),
      );
      assert.equal(cli.code, 3, cli.stderr);
      assert.match(cli.stderr, /DENIED_BY_POLICY/);
      assert.equal((await bob.review(id)).votes.length, 0);
    });

    it("a name that a message brings along is refused where it can be seen, and ignored where it cannot", async () => {
      const json = await edgeCall(
        bob.session,
        site.edge,
        ReviewService.method.approve,
        JSON.stringify({ reviewId: id, digest, approver: "ops-lead" }),
      );
      assert.deepEqual([json.status, json.reason], [400, "INVALID_REQUEST"], json.text);
      assert.equal((await bob.review(id)).votes.length, 0);
      const named = withUnknownField(ApproveRequestSchema, { reviewId: id, digest, reason: "ticket 19" }, 15, "ops-lead");
      await bob.session.reviews.approve(named as never);
      const records = await evidenceOnce(site.log, "the vote", (all) =>
        all.some(({ metadata }) => metadata.event_code === "review.approve"),
      );
      assert.ok(!JSON.stringify(records).includes("ops-lead"));
      await (await agent.use({ ...refund, body: '{"order":19}', accessRequestId: id })).text();
      const after = await settledEvidence(site.log);
      const used = terminalEvents(after, "/v1/refunds").filter(({ unmapped: { sallyport } }) => sallyport.approvers !== undefined);
      assert.deepEqual(
        used.map(({ unmapped: { sallyport } }) => sallyport.approvers?.map((approver) => approver.id)),
        [["corp/bob"]],
      );
      const refusedVotes = after.filter(
        ({ metadata, status_code }) => /^review\./.test(metadata.event_code) && status_code === "DENIED_BY_POLICY",
      );
      assert.ok(refusedVotes.length >= 2, "the refused votes are on record");
    });
  });

  describe("afterwards", () => {
    it("ends with a log that verifies", async () => {
      await settledEvidence(site.log);
      await mustRun(["audit", "verify", "--log", site.log]);
      assert.ok(readEvidence(site.log).length > 20);
    });
  });
});
