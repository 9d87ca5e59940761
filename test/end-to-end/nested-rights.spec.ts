import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Action, Agent, type CeilingInit, ProofMaker } from "@sallyport/sdk";
import { evidenceOnce, terminalEvents } from "../faults/evidence-log.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { read, refusalOf } from "../faults/told.ts";

const everything: CeilingInit = {
  entries: [{ actions: [Action.LIST, Action.READ, Action.USE, Action.DELEGATE], secrets: ["prod/*"], targets: ["*"] }],
};

/** Whoever is of the pipeline may use payroll; the agent named release may not, and a child named careful may not use orders. */
const rules = `
@id("pipelines-use-payroll")
permit (principal in Group::"ci/release-pipelines", action in [Action::"list", Action::"read", Action::"use"], resource in Category::"payroll");
@id("release-keeps-off-payroll")
forbid (principal == Agent::"ci/release-bot#release", action, resource in Category::"payroll");
@id("careful-uses-no-orders")
forbid (principal == Agent::"ci/release-bot#release/careful", action == Action::"use", resource == Secret::"prod/orders/read");
`;

describe("TOKN-19: what holds for an agent holds for all below it, and what holds below adds to it", () => {
  let site: Site;
  let release: Agent;
  let plain: Agent;
  const started: Agent[] = [];
  before(async function () {
    this.timeout(120_000);
    site = await embeddedSite({ configure: ({ policies }) => writeFileSync(join(policies, "nested.cedar"), rules) });
    [release, plain] = await Promise.all([site.agent("release", everything), site.agent("plain", everything)]);
  });
  after(async () => {
    for (const agent of started) agent.close();
    await site?.stop();
  });

  const child = async (parent: Agent, name: string, ceiling = everything): Promise<Agent> => {
    const key = ProofMaker.generate();
    const { handover } = await parent.delegate({ name, ceiling, thumbprint: key.thumbprint });
    const agent = await Agent.fromTicket(handover, key);
    started.push(agent);
    return agent;
  };
  const payroll = (agent: Agent) => agent.use({ target: "payroll-api", path: "/v1/orders/1" }).then((answer) => answer.text());

  it("a parent's deny reaches child and grandchild, whatever their ceilings hold; its sibling is untouched", async () => {
    const deploy = await child(release, "deploy");
    const migration = await child(deploy, "migration");
    for (const agent of [release, deploy, migration]) {
      assert.equal((await refusalOf(() => payroll(agent))).reason, "DENIED_BY_POLICY");
      assert.equal((await refusalOf(() => agent.describe("prod/payroll/db"))).reason, "DENIED_BY_POLICY");
      assert.ok(!(await agent.list()).includes("prod/payroll/db"));
    }
    const below = await child(plain, "below");
    for (const agent of [plain, below]) {
      await payroll(agent);
      assert.ok((await agent.list()).includes("prod/payroll/db"));
    }
  });

  it("a child's own deny holds for it and below, and says nothing of its parent", async () => {
    const careful = await child(release, "careful");
    const below = await child(careful, "below");
    for (const agent of [careful, below]) assert.equal((await refusalOf(() => read(agent, "/v1/orders/1"))).reason, "DENIED_BY_POLICY");
    await read(release, "/v1/orders/1");
    await read(await child(release, "careless"), "/v1/orders/1");
  });

  it("a child's narrower ceiling holds for it and below, under a parent that may more", async () => {
    const reader = await child(release, "reader", {
      entries: [{ actions: [Action.READ, Action.DELEGATE], secrets: ["prod/orders/read"], targets: ["*"] }],
    });
    assert.equal((await reader.describe("prod/orders/read")).name, "prod/orders/read");
    assert.equal((await refusalOf(() => read(reader, "/v1/orders/1"))).reason, "DENIED_BY_POLICY");
    assert.equal((await refusalOf(() => child(reader, "wider"))).reason, "DELEGATION_EXCEEDED");
    await read(release, "/v1/orders/1");
  });

  it("an approval that a parent needs, its grandchild needs too; evidence names the whole chain", async () => {
    const migration = await child(await child(release, "careful-deploy"), "migration");
    const refund = { target: "orders-api", method: "POST", path: "/v1/refunds", body: '{"order":19}' };
    for (const agent of [release, migration]) assert.equal((await refusalOf(() => agent.use(refund))).reason, "APPROVAL_REQUIRED");
    const ids = [
      "ci/release-bot",
      "ci/release-bot#release",
      "ci/release-bot#release/careful-deploy",
      "ci/release-bot#release/careful-deploy/migration",
    ];
    const chains = (records: Parameters<typeof terminalEvents>[0]) =>
      terminalEvents(records, "/v1/refunds").map(({ unmapped: { delegation } }) => delegation?.map(({ id }) => id).join(" "));
    await evidenceOnce(site.log, "the grandchild's refusal", (records) => chains(records).includes(ids.join(" ")));
  });

  it("nobody hangs a child under another parent: its place comes from whose ticket it is", async () => {
    for (const name of ["../plain/child", "plain/child", "#plain", "release#x"]) {
      assert.equal((await refusalOf(() => child(release, name))).reason, "INVALID_REQUEST");
    }
    const hung = await child(release, "plain");
    assert.equal(hung.id, "ci/release-bot#release/plain");
    assert.equal((await refusalOf(() => payroll(hung))).reason, "DENIED_BY_POLICY");
    const { sessions } = await release.session.roster.listLiveSessions({});
    assert.ok(sessions.every(({ chain }) => chain?.links.some(({ sessionId }) => sessionId === release.sessionId)));
    assert.ok(sessions.some(({ chain }) => chain?.links.at(-1)?.sessionId === hung.sessionId));
  });
});
