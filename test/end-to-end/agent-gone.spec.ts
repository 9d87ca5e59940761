import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Agent, Refusal, Session, useSecret } from "@sallyport/sdk";
import { type Evidence, evidenceOnce, settledEvidence, terminalEvents } from "../faults/evidence-log.ts";
import { type Recorder, startRecorder } from "../faults/recorder.ts";
import { type Relay, startRelay } from "../faults/relay.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { read, refusalOf } from "../faults/told.ts";
import { until } from "../support/process/port.ts";
import { upload } from "./upload.ts";

const refund = { target: "orders-api", secret: "prod/orders/api", method: "POST", path: "/v1/refunds" };

describe("AUDT-09: whoever goes away leaves exactly one terminal event, which says whether the secret was used", () => {
  let site: Site;
  let agent: Agent;
  let uploads: Recorder;
  let relay: Relay;
  /** The same agent, over a connection that can be cut. */
  let behindRelay: Session;
  before(async function () {
    this.timeout(120_000);
    uploads = await startRecorder();
    site = await embeddedSite({
      configure: ({ targets }) => {
        targets.uploads = {
          ...targets["orders-read"],
          baseUrl: uploads.url,
          allow: ["/v1/upload/{id}", "/v1/upload/{id}/silent"].map((path) => ({ method: "POST", path })),
        };
      },
    });
    agent = await site.agent();
    relay = await startRelay(site.endpoints.broker);
    const { session } = agent;
    behindRelay = new Session({ ...site.endpoints, broker: relay.address }, session.proofs, session.credential);
  });
  after(async () => {
    behindRelay?.close();
    await site?.stop();
    await Promise.all([uploads?.stop(), relay?.stop()]);
  });

  /** Each that ended, by something that only its path has. */
  const ended = new Set<string>();
  const terminalOf = async (marker: string) => {
    ended.add(marker);
    const records = await evidenceOnce(site.log, marker, (all) => terminalEvents(all, marker).length > 0);
    return terminalEvents(records, marker)[0] as Evidence;
  };
  const served = (marker: string) => site.api.served.filter(({ path }) => path.includes(marker)).length;

  it("benign twin: an answer that is read to its end", async () => {
    const text = await read(agent, "/v1/orders/to-the-end");
    const event = await terminalOf("to-the-end");
    assert.deepEqual([event.status_id, trafficOf(event)], [1, { used: true, request: 0, response: text.length }]);
  });

  it("benign twin: an upload that is sent to its end", async () => {
    const body = Buffer.alloc(1_500_000, 0x61);
    const answer = await agent.use({ target: "uploads", method: "POST", path: "/v1/upload/whole-upload", body });
    assert.equal(await answer.text(), "ok");
    const event = await terminalOf("whole-upload");
    assert.deepEqual([event.status_id, trafficOf(event)], [1, { used: true, request: body.length, response: 2 }]);
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

  /** What people were asked for, and nobody waits for any more. */
  const refunds = new Set<string>();
  for (const [how, leaving] of [
    ["gives its call up", () => ({ session: agent.session, leave: new AbortController() })],
    ["closes its socket", () => ({ session: behindRelay, leave: { signal: undefined, abort: () => relay.cut() } })],
  ] as const) {
    describe(how, () => {
      const marked = (moment: string) => `${how.replaceAll(" ", "-")}-${moment}`;
      /** What the agent sees of it. */
      const sees = how === "closes its socket" ? /^(OUTCOME_UNKNOWN|TARGET_UNAVAILABLE)$/ : /^CANCELLED$/;

      it("while people are asked", async () => {
        const { session, leave } = leaving();
        const body = JSON.stringify({ order: marked("waiting") });
        const held = await refusalOf(() => agent.use({ ...refund, body }));
        assert.equal(held.reason, "APPROVAL_REQUIRED");
        refunds.add(held.metadata.access_request_id as string);
        const options = leave.signal === undefined ? {} : { signal: leave.signal };
        const waiting = { accessRequestId: held.metadata.access_request_id as string, timeoutSeconds: 30 };
        const waited = refusalOf(() => session.broker.waitForAccess(waiting, options));
        await sleep(200);
        leave.abort();
        assert.match((await waited).reason, sees);
      });

      it("in the middle of the answer", async () => {
        const { session, leave } = leaving();
        const marker = marked("mid-answer");
        const options = { target: "orders-read", path: `/v1/ledger?marker=${marker}`, signal: leave.signal };
        const answer = await useSecret(session.broker, options);
        let received = 0;
        const cut = await refusalOf(async () => {
          for await (const bytes of answer.body) {
            received += bytes.length;
            leave.abort();
          }
        });
        assert.match(cut.reason, sees);
        const event = await terminalOf(marker);
        const { used, response } = trafficOf(event);
        assert.deepEqual([event.status_id, event.status_code, used], [0, "CANCELLED", true]);
        assert.ok(received > 0 && response >= received, `${response} of ${received}`);
      });

      it("in the middle of an upload", async () => {
        const { session, leave } = leaving();
        const marker = marked("half-way");
        const size = 3 * 1024 * 1024;
        const refused = await refusalOf(() =>
          upload(
            session,
            leave.signal,
            marker,
            async function* () {
              yield Buffer.alloc(256 * 1024);
              await until("its arrival", () => uploads.arrived.some(({ path }) => path.includes(marker)), 5_000);
              leave.abort();
              await sleep(100);
            },
            { size, sha256: Buffer.alloc(32) },
          ),
        );
        assert.match(refused.reason, sees);
        const event = await terminalOf(marker);
        const { used, request } = trafficOf(event);
        assert.deepEqual([event.status_id, event.status_code, used], [0, "CANCELLED", true], JSON.stringify(event));
        assert.ok(request > 0 && request <= 256 * 1024, `${request}`);
        assert.ok(!uploads.whole.some((path) => path.includes(marker)));
      });

      it("after its upload, before the answer", async () => {
        const { session, leave } = leaving();
        const marker = marked("uploaded");
        const body = Buffer.alloc(300_000, 0x61);
        const declared = { size: body.length, sha256: createHash("sha256").update(body).digest() };
        const refused = await refusalOf(() =>
          upload(
            session,
            leave.signal,
            `${marker}/silent`,
            async function* () {
              yield body;
              void until("its arrival", () => uploads.whole.some((path) => path.includes(marker)), 5_000).then(() => leave.abort());
            },
            declared,
          ),
        );
        assert.match(refused.reason, sees);
        const event = await terminalOf(marker);
        assert.deepEqual([event.status_id, event.status_code], [0, "CANCELLED"]);
        assert.deepEqual(trafficOf(event), { used: true, request: body.length, response: 0 });
      });
    });
  }

  describe("afterwards", () => {
    it("each has one terminal event and no more; what nobody waited for was not used", async () => {
      const records = await settledEvidence(site.log);
      for (const marker of ended) assert.equal(terminalEvents(records, marker).length, 1, marker);
      const asked = terminalEvents(records, "/v1/refunds");
      assert.deepEqual(
        asked.map((event) => [event.status_code, usedAtTarget(event)]),
        [...refunds].map(() => ["APPROVAL_REQUIRED", false]),
      );
      assert.equal(served("/v1/refunds"), 0);
    });
  });
});

/** What a terminal event says of the secret: whether it went to the target. */
function usedAtTarget(event: { unmapped: { sallyport: object } } | undefined): boolean | undefined {
  return (event?.unmapped.sallyport as { details?: { used_at_target?: boolean } } | undefined)?.details?.used_at_target ?? false;
}

/** What a terminal event says of the bytes that went to the target and came back to the agent. */
function trafficOf(event: { unmapped: { sallyport: object } }): { used: boolean; request: number; response: number } {
  const { details } = event.unmapped.sallyport as { details?: Record<string, never> };
  return { used: details?.used_at_target ?? false, request: details?.request_bytes ?? -1, response: details?.response_bytes ?? -1 };
}
