import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ApproveRequestSchema, ReviewService } from "@sallyport/contracts";
import { type Agent, type Person, Refusal } from "@sallyport/sdk";
import { mustRun, sallyport } from "../demo/process.ts";
import { evidenceOnce, readEvidence, settledEvidence, terminalEvents } from "../faults/evidence-log.ts";
import { type Recorder, startRecorder } from "../faults/recorder.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { read, refusalOf } from "../faults/told.ts";
import { edgeCall, withUnknownField } from "./edge-call.ts";

const refund = { target: "orders-api", secret: "prod/orders/api", method: "POST", path: "/v1/refunds" };

describe("sign in, use, verify", () => {
  let site: Site;
  let agent: Agent;
  let uploads: Recorder;
  before(async function () {
    this.timeout(120_000);
    uploads = await startRecorder();
    site = await embeddedSite({
      configure: ({ targets }) => {
        targets.uploads = { ...targets["orders-read"], baseUrl: uploads.url, allow: [{ method: "POST", path: "/v1/upload/{id}" }] };
      },
    });
    agent = await site.agent();
  });
  after(async () => {
    await site?.stop();
    await uploads?.stop();
  });

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

  describe("AUDT-09: whoever goes away leaves exactly one terminal event, which says whether the secret was used", () => {
    const terminalOf = async (marker: string) => {
      await evidenceOnce(site.log, marker, (records) => terminalEvents(records, marker).length > 0);
      const events = terminalEvents(await settledEvidence(site.log), marker);
      assert.equal(events.length, 1, JSON.stringify(events));
      return events[0] as (typeof events)[number];
    };
    const served = (marker: string) => site.api.served.filter(({ path }) => path.includes(marker)).length;

    it("benign twin: an answer that is read to its end", async () => {
      await read(agent, "/v1/orders/to-the-end");
      const event = await terminalOf("to-the-end");
      assert.equal(event.status_id, 1);
    });

    it("at any moment before, while and after it is decided", async () => {
      const outcomes = new Map<string, boolean>();
      for (let i = 0; i < 24; i++) {
        const marker = `early-${i}-end`;
        const gone = new AbortController();
        const use = agent
          .use({ target: "orders-read", path: `/v1/orders/${marker}`, signal: gone.signal })
          .then((answer) => answer.text())
          .then(
            () => true,
            (error: unknown) => {
              assert.ok(error instanceof Refusal, `${error}`);
              return false;
            },
          );
        await sleep(i);
        gone.abort();
        outcomes.set(marker, await use);
      }
      const records = await settledEvidence(site.log);
      for (const [marker, done] of outcomes) {
        const events = terminalEvents(records, marker);
        // A call that was given up before it was on its way leaves none.
        assert.ok(events.length === 1 || (events.length === 0 && !done && served(marker) === 0), `${marker}: ${events.length}`);
        if (served(marker) > 0) assert.equal(usedAtTarget(events[0]), true, marker);
        if (events[0]?.status_code === "CANCELLED" && usedAtTarget(events[0]) === false) assert.equal(served(marker), 0);
      }
    });

    it("while people are asked", async () => {
      const body = '{"order":"waiting"}';
      const held = await refusalOf(() => agent.use({ ...refund, body }));
      assert.equal(held.reason, "APPROVAL_REQUIRED");
      const id = held.metadata.access_request_id as string;
      const gone = new AbortController();
      const waiting = refusalOf(() => agent.waitForAccess(id, 30_000, gone.signal));
      await sleep(200);
      gone.abort();
      assert.equal((await waiting).reason, "CANCELLED");
      const events = (await settledEvidence(site.log)).filter(
        ({ metadata, unmapped: { sallyport } }) => metadata.event_code === "secret.use" && sallyport.access_request_id === id,
      );
      assert.ok(events.length <= 1, JSON.stringify(events));
      const refused = terminalEvents(await settledEvidence(site.log), "/v1/refunds");
      assert.equal(refused.length, 1);
      assert.equal(refused[0]?.status_code, "APPROVAL_REQUIRED");
      assert.equal(usedAtTarget(refused[0]), false);
    });

    it("in the middle of the answer", async () => {
      const gone = new AbortController();
      const answer = await agent.use({ target: "orders-read", path: "/v1/ledger?marker=mid-answer", signal: gone.signal });
      await assert.rejects(async () => {
        for await (const _ of answer.body) gone.abort();
      });
      const event = await terminalOf("mid-answer");
      assert.deepEqual([event.status_id, event.status_code, usedAtTarget(event)], [0, "CANCELLED", true]);
    });

    it("by no longer reading", async () => {
      const answer = await agent.use({ target: "orders-read", path: "/v1/ledger?marker=discarded" });
      await answer.discard();
      const event = await terminalOf("discarded");
      assert.deepEqual([event.status_id, event.status_code, usedAtTarget(event)], [0, "CANCELLED", true]);
    });

    it("by the end of the call's own time", async () => {
      const answer = await agent.use({ target: "orders-read", path: "/v1/ledger?marker=too-late", timeoutMs: 700 });
      assert.equal((await refusalOf(() => answer.text())).reason, "CANCELLED");
      const event = await terminalOf("too-late");
      assert.deepEqual([event.status_id, usedAtTarget(event)], [0, true]);
    });

    it("in the middle of an upload", async () => {
      const gone = new AbortController();
      const size = 3 * 1024 * 1024;
      const pieces = async function* () {
        const use = {
          target: "uploads",
          operation: { case: "http" as const, value: { method: "POST", path: "/v1/upload/half-way" } },
        };
        yield { part: { case: "head" as const, value: { use, size: BigInt(size), sha256: Buffer.alloc(32) } } };
        yield { part: { case: "data" as const, value: Buffer.alloc(256 * 1024) } };
        for (const until = Date.now() + 5_000; uploads.arrived.length === 0 && Date.now() < until; ) await sleep(10);
        gone.abort();
        await sleep(100);
      };
      const refused = await refusalOf(async () => {
        for await (const _ of agent.session.broker.useUpload(pieces(), { signal: gone.signal }));
      });
      assert.equal(refused.reason, "CANCELLED");
      const event = await terminalOf("half-way");
      assert.equal(uploads.arrived.length, 1);
      assert.deepEqual([event.status_id, event.status_code, usedAtTarget(event)], [0, "CANCELLED", true], JSON.stringify(event));
    });
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

/** What a terminal event says of the secret: whether it went to the target. */
function usedAtTarget(event: { unmapped: { sallyport: object } } | undefined): boolean | undefined {
  return (event?.unmapped.sallyport as { details?: { used_at_target?: boolean } } | undefined)?.details?.used_at_target ?? false;
}
