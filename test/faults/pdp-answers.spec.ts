import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { join } from "node:path";
import { Decision } from "@sallyport/contracts";
import { type Agent, Session, useSecret } from "@sallyport/sdk";
import { until } from "../support/process/port.ts";
import { describeWith, redis, withOptions } from "../support/servers.ts";
import { evidenceOnce, settledEvidence, terminalEvents } from "./evidence-log.ts";
import {
  type Answer,
  answerBytes,
  type PdpStandIn,
  permission,
  resetInTheMiddle,
  silence,
  silentAfterHeaders,
  standInForPdp,
  standInForSocket,
  streamReset,
  unavailableAfterHeaders,
  webPage,
} from "./pdp-stand-in.ts";
import { startRelay } from "./relay.ts";
import { type Site, splitSite } from "./site.ts";
import { eventually, read, refusalOf } from "./told.ts";

const noMessage = Buffer.from("3b9f".repeat(64), "hex");

const sockets: [string, (socket: Socket) => void][] = [
  ["takes connections and says nothing", () => undefined],
  ["says what is no TLS", (socket) => void socket.write(noMessage)],
  ["resets connections", (socket) => void socket.once("data", () => socket.resetAndDestroy())],
];

const answers: [string, Answer, reason: string][] = [
  ["takes the call and hangs", silence, "POLICY_UNAVAILABLE"],
  ["begins an answer and hangs", silentAfterHeaders, "POLICY_UNAVAILABLE"],
  ["says UNAVAILABLE after its headers", unavailableAfterHeaders, "POLICY_UNAVAILABLE"],
  ["resets the connection in the middle of its answer", resetInTheMiddle, "POLICY_UNAVAILABLE"],
  ["resets the call in the middle of its answer", streamReset, "POLICY_UNAVAILABLE"],
  ["answers with a web page", webPage, "POLICY_UNAVAILABLE"],
  ["answers with bytes that are no message", answerBytes(() => noMessage), "POLICY_UNAVAILABLE"],
  ["answers with more than a message may hold", answerBytes(() => Buffer.alloc(5 * 1024 * 1024, 0x12)), "POLICY_UNAVAILABLE"],
  ["answers with an empty message", answerBytes(() => new Uint8Array()), "POLICY_UNAVAILABLE"],
  ["leaves the decision out", permission({ decision: Decision.UNSPECIFIED }), "POLICY_UNAVAILABLE"],
  ["decides what nobody knows", permission({ decision: 99 as Decision }), "POLICY_UNAVAILABLE"],
  ["permits for no link", permission({ links: [] }), "POLICY_UNAVAILABLE"],
  ["permits with a duty that nobody knows", permission({ obligations: [{ name: "sing" }] }), "POLICY_ERROR"],
  ["denies", permission({ decision: Decision.DENY, reason: "DENIED_BY_POLICY" }), "DENIED_BY_POLICY"],
];

describeWith("POLI-05: whatever stands where the pdp should be", { redis: withOptions(redis, { own: true }) }, (servers) => {
  let site: Site;
  let agent: Agent;
  /** Asks until it is answered: what one caller is refused too often is summed up. */
  let patient: Agent;
  /** What each refused use was told, by its path. */
  const refusals = new Map<string, string>();

  before(async function () {
    this.timeout(120_000);
    site = await splitSite(servers.redis().address);
    [agent, patient] = await Promise.all([site.agent(), site.agent("patient")]);
    await read(agent, "/v1/orders/before");
    await site.services.pdp.stop();
  });
  after(() => site?.stop());

  const refusedInTime = async (reason: string) => {
    const marker = `answer-${refusals.size}-end`;
    refusals.set(marker, reason);
    const served = site.api.served.length;
    const began = performance.now();
    const refusal = await refusalOf(() => read(agent, `/v1/orders/${marker}`));
    const took = performance.now() - began;
    assert.ok(took < 3_000, `${took} ms`);
    assert.equal(refusal.reason, reason, refusal.message);
    assert.ok(refusal.message.length > 20 && !refusal.message.includes("sing"), refusal.message);
    assert.equal(site.api.served.length, served);
  };

  it("refuses connections: nothing is done, and the agent is told in time", () => refusedInTime("POLICY_UNAVAILABLE"));

  for (const [what, answer] of sockets) {
    it(`${what}: nothing is done, and the agent is told in time`, async () => {
      const standIn = await standInForSocket(site.peers.pdp, answer);
      try {
        await until("a connection", () => standIn.connections() > 0, 5_000);
        await refusedInTime("POLICY_UNAVAILABLE");
      } finally {
        await standIn.stop();
      }
    });
  }

  describe("speaks gRPC with the pdp's own key", () => {
    let standIn: PdpStandIn;
    before(async () => {
      standIn = await standInForPdp(site.peers.pdp, join(site.dataDirs.pdp, "keys"));
    });
    after(() => standIn?.stop());

    beforeEach("benign twin: it permits", async () => {
      standIn.answer = permission();
      await eventually("done", () => read(patient, "/v1/orders/permitted"));
    });

    for (const [what, answer, reason] of answers) {
      it(`${what}: nothing is done, and the agent is told in time (${reason})`, async () => {
        const calls = standIn.calls();
        standIn.answer = answer;
        await refusedInTime(reason);
        assert.equal(standIn.calls(), calls + 1, "it was asked, once");
      });
    }

    it("AUDT-09: an agent that closes its socket before it is decided leaves one event: given up, the secret not used", async () => {
      const relay = await startRelay(site.endpoints.broker);
      const { proofs, credential } = agent.session;
      const behindRelay = new Session({ ...site.endpoints, broker: relay.address }, proofs, credential);
      try {
        await behindRelay.broker.describe({ secret: "prod/orders/read" });
        standIn.answer = silence;
        const calls = standIn.calls();
        const use = refusalOf(() => useSecret(behindRelay.broker, { target: "orders-read", path: "/v1/orders/undecided" }));
        await until("the question", () => standIn.calls() > calls, 5_000);
        relay.cut();
        assert.match((await use).reason, /^(OUTCOME_UNKNOWN|TARGET_UNAVAILABLE)$/);
      } finally {
        behindRelay.close();
        await relay.stop();
      }
      const marker = "undecided";
      await evidenceOnce(site.log, marker, (records) => terminalEvents(records, marker).length > 0);
      const [event, ...more] = terminalEvents(await settledEvidence(site.log), marker);
      assert.deepEqual([event?.status_code, event?.unmapped.sallyport.details?.used_at_target, more.length], ["CANCELLED", false, 0]);
      assert.ok(!site.api.served.some(({ path }) => path.includes(marker)));
    });
  });

  describe("afterwards", () => {
    it("the pdp itself is used again once it is back, without a restart of anything else", async () => {
      await site.services.pdp.start();
      await eventually("done", () => read(patient, "/v1/orders/after"));
    });

    it("each of these refusals is on record once, with its reason", async () => {
      assert.equal(refusals.size, 1 + sockets.length + answers.length);
      const last = [...refusals.keys()].at(-1) as string;
      await evidenceOnce(site.log, last, (records) => terminalEvents(records, last).length > 0);
      const records = await settledEvidence(site.log);
      for (const [marker, reason] of refusals) {
        const events = terminalEvents(records, marker);
        assert.deepEqual(
          events.map(({ status_id, status_code }) => [status_id, status_code]),
          [[2, reason]],
          marker,
        );
      }
    });
  });
});
