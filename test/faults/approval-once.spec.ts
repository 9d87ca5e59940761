import assert from "node:assert/strict";
import { type Agent, Person, Session, useSecret } from "@sallyport/sdk";
import { describeWith, redis, withOptions } from "../support/servers.ts";
import { readEvidence, settledEvidence, terminalEvents, usesIn } from "./evidence-log.ts";
import { type Site, splitSite } from "./site.ts";
import { refusalOf, told } from "./told.ts";

const refund = { target: "orders-api", method: "POST", path: "/v1/refunds" };

describeWith("AUDT-11: approvals over two brokers", { redis: withOptions(redis, { own: true }) }, (servers) => {
  let site: Site;
  let agent: Agent;
  let bob: Person;
  let carol: Person;
  const opened: Session[] = [];
  /** Uses that were told that their approval was used already. */
  let replays = 0;
  before(async function () {
    this.timeout(120_000);
    site = await splitSite(servers.redis().address, { twoBrokers: true });
    agent = await site.agent();
    [bob, carol] = (await Promise.all(["bob", "carol"].map((name) => site.person(name, ["release-approvers"])))) as [Person, Person];
  });
  after(async () => {
    for (const session of opened) session.close();
    await site?.stop();
  });

  /** The same holder of the same key at the other broker. */
  const elsewhere = ({ proofs, credential }: Session): Session => {
    const session = new Session({ ...site.endpoints, broker: site.secondBroker?.agents ?? "" }, proofs, credential);
    opened.push(session);
    return session;
  };
  const askFor = async (body: string, by = agent) => {
    const held = await refusalOf(() => by.use({ ...refund, body }));
    assert.equal(held.reason, "APPROVAL_REQUIRED", held.message);
    const id = held.metadata.access_request_id as string;
    return { body, id, digest: (await bob.review(id)).digest };
  };
  const use = (session: Session, { body, id }: { body: string; id: string }) =>
    useSecret(session.broker, { ...refund, body, accessRequestId: id }).then((answer) => answer.text());
  const charged = (body: string) => site.api.served.filter((request) => request.body === body).length;

  it("50 uses of one approval at once, over both: one reaches the target, each other one is told that it was used", async () => {
    const asked = await askFor('{"order":"fifty"}');
    await bob.approve(asked.id, asked.digest);
    const sessions = [agent.session, elsewhere(agent.session)];
    // A benign call each, so that all 50 are on their way at the same time.
    for (const session of sessions) await session.broker.describe({ secret: "prod/orders/read" });
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, at) => told(() => use(sessions[at % 2] as Session, asked))));
    const count = (reason: string) => outcomes.filter((outcome) => outcome === reason).length;
    replays += count("APPROVAL_EXPIRED");
    // A broker that is too busy to keep its lease refuses too.
    assert.deepEqual([count("done"), replays + count("STATE_UNAVAILABLE")], [1, 49], outcomes.join());
    assert.ok(replays > 25, outcomes.join());
    assert.equal(charged(asked.body), 1);
  });

  it("approved at one and rejected at the other in the same moment: the first wins, and what is used follows it", async () => {
    const carolElsewhere = new Person(elsewhere(carol.session));
    await carolElsewhere.reviews();
    for (let round = 0; round < 8; round++) {
      const asked = await askFor(JSON.stringify({ order: `race-${round}` }));
      const votes = await Promise.all([
        told(() => bob.approve(asked.id, asked.digest)),
        told(() => carolElsewhere.reject(asked.id, asked.digest)),
      ]);
      assert.equal(votes.filter((vote) => vote === "done").length, 1, votes.join());
      const used = await told(() => use(agent.session, asked));
      assert.equal(used, votes[0] === "done" ? "done" : "APPROVAL_REJECTED");
      assert.equal(charged(asked.body), used === "done" ? 1 : 0);
    }
  });

  it("approved twice by one person, at both in the same moment: it counts once", async () => {
    const bobElsewhere = new Person(elsewhere(bob.session));
    const asked = await askFor('{"order":"twice"}');
    const votes = await Promise.all([bob, bobElsewhere].map((one) => told(() => one.approve(asked.id, asked.digest))));
    assert.ok(votes.includes("done"), votes.join());
    assert.equal((await bob.review(asked.id)).votes.length, 1);
    assert.equal(await told(() => use(agent.session, asked)), "done");
    assert.equal(await told(() => use(agent.session, asked)), "APPROVAL_EXPIRED");
    replays++;
    assert.equal(charged(asked.body), 1);
  });

  it("approved after the agent was revoked: nothing is used", async () => {
    const doomed = await site.agent("doomed");
    const asked = await askFor('{"order":"doomed"}', doomed);
    const sam = await site.person("sam", ["security"]);
    await sam.session.revocations.revoke({ subject: { case: "sessionId", value: doomed.sessionId }, reason: "misbehaves" });
    await told(() => bob.approve(asked.id, asked.digest));
    for (const session of [doomed.session, elsewhere(doomed.session)])
      assert.equal(await told(() => use(session, asked)), "CREDENTIAL_REVOKED");
    assert.equal(charged(asked.body), 0);
  });

  it("each replay is on record, and each effect once, with who approved it", async () => {
    await settledEvidence(site.log);
    // What was counted rather than recorded one by one is summed up at the latest now.
    await Promise.all([site.services.broker.stop(), site.secondBroker?.service.stop()]);
    await settledEvidence(site.log);
    const records = readEvidence(site.log);
    const recorded = terminalEvents(records, "/v1/refunds").filter(({ status_code }) => status_code === "APPROVAL_EXPIRED");
    assert.equal(
      recorded.reduce((sum, { count }) => sum + (count ?? 1), 0),
      replays,
    );
    const effects = usesIn(records).filter(({ intent }) => intent.unmapped.sallyport.statement?.masked === "POST /v1/refunds");
    assert.equal(effects.length, site.api.served.filter(({ path }) => path === "/v1/refunds").length);
    for (const { outcomes } of effects) {
      assert.equal(outcomes.length, 1);
      assert.deepEqual(
        outcomes[0]?.unmapped.sallyport.approvers?.map(({ id }) => id),
        ["corp/bob"],
      );
    }
  });
});
