import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Action, Decision, DecisionService, LinkKind, Refusal } from "@sallyport/contracts";
import {
  type Client,
  formatAddress,
  initKeys,
  parseConfig,
  type RunningProcess,
  runProcess,
  type ServiceRole,
  type Starter,
} from "@sallyport/service";
import { pino } from "pino";
import { start } from "./main.ts";

const doors = "{ agents: 127.0.0.1:0, agentsMtls: 127.0.0.1:0, peers: 127.0.0.1:0, edge: 127.0.0.1:0, ops: 127.0.0.1:0 }";
const sid = (index: number) => String(index).padStart(22, "0");

describe("the policy service, asked by another over mTLS", () => {
  let folder: string;
  let pdp: RunningProcess;
  let asker: RunningProcess;
  let client: Client<typeof DecisionService>;
  let lonely: Client<typeof DecisionService> | undefined;
  // Its journal takes what it has to record; the audit service is not there.
  const nowhere = 'audit: "127.0.0.1:1"';
  const starterOf =
    (take: (client: Client<typeof DecisionService>) => void): Starter =>
    async (host) => {
      take(host.peers.client("pdp", DecisionService));
      return { name: "broker", ready: () => ({ ok: true }), stop: async () => {} };
    };

  const run = (role: ServiceRole, starter: Starter, peers: string) => {
    const config = parseConfig(
      `version: 1
trustDomain: test.internal
dataDir: ${folder}
policies: ${join(folder, "policies")}
stores: { files: { kind: file, path: ./s, key: env:KEY } }
secrets: { prod/orders/api: { store: files, fields: [token], categories: [payments] } }
targets: { orders-api: { kind: http, baseUrl: "https://orders.internal", secret: prod/orders/api, inject: { bearer: token }, allow: [{ method: GET, path: /v1 }] } }
services: { ${role}: { listen: ${doors}, peers: { ${peers} } } }
`,
      "sallyport.yaml",
    );
    return runProcess({
      config,
      roles: [role],
      load: async () => ({ start: starter }),
      version: "0.0.0-test",
      log: pino({ level: "silent" }),
    });
  };
  const ask = (change: object = {}) =>
    client.check({
      chain: {
        links: [
          { id: "corp/alice", kind: LinkKind.PERSON, sessionId: sid(0) },
          { id: "corp/alice#release", kind: LinkKind.AGENT, sessionId: sid(1) },
        ],
        groups: ["corp/team"],
      },
      action: Action.USE,
      secret: "prod/orders/api",
      target: "orders-api",
      context: { method: "GET", approvals: ["payments"] },
      requestDigest: "ab".repeat(32),
      ...change,
    });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "sallyport-pdp-"));
    mkdirSync(join(folder, "policies"));
    writeFileSync(
      join(folder, "policies", "team.cedar"),
      `@id("team") permit (principal in Group::"corp/team", action == Action::"use", resource);
@id("payments") @approval("payments") @reviewers("corp/approvers")
forbid (principal is Agent, action, resource in Category::"payments") unless { context.approvals.contains("payments") };`,
    );
    await initKeys({ dataDir: folder, trustDomain: "test.internal" });
    pdp = await run("pdp", start, nowhere);
    asker = await run(
      "broker",
      starterOf((found) => {
        client = found;
      }),
      `pdp: "${formatAddress(pdp.addresses.peers!)}"`,
    );
  });
  after(async () => {
    await asker?.stop();
    await pdp?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("decides for the whole chain, and throws away approvals that stand in the context", async () => {
    const answer = await ask();
    assert.equal(answer.decision, Decision.NEEDS_APPROVAL);
    assert.equal(answer.reason, "APPROVAL_REQUIRED");
    assert.deepEqual(
      answer.links.map(({ linkId, decision }) => [linkId, decision]),
      [
        ["corp/alice", Decision.ALLOW],
        ["corp/alice#release", Decision.NEEDS_APPROVAL],
      ],
    );
    assert.deepEqual(
      answer.approvalsNeeded.map(({ name, quorum, reviewSeconds, grantSeconds }) => ({ name, quorum, reviewSeconds, grantSeconds })),
      [{ name: "payments", quorum: 1, reviewSeconds: 1800, grantSeconds: 300 }],
    );
    assert.match(answer.policyVersion, /^[0-9a-f]{64}$/);
  });

  it("takes a grant for this digest, and no other", async () => {
    const expiresAt = { seconds: BigInt(Math.floor(Date.now() / 1000) + 60), nanos: 0 };
    const granted = (requestDigest: string, at: typeof expiresAt | undefined = expiresAt) =>
      ask({ approvals: [{ name: "payments", requestDigest, ...(at === undefined ? {} : { expiresAt: at }) }] });
    assert.equal((await granted("ab".repeat(32))).decision, Decision.ALLOW);
    assert.equal((await granted("cd".repeat(32))).decision, Decision.NEEDS_APPROVAL);
    assert.equal((await granted("ab".repeat(32), { seconds: 1n, nanos: 0 })).decision, Decision.NEEDS_APPROVAL);
    assert.equal((await ask({ approvals: [{ name: "payments", requestDigest: "ab".repeat(32) }] })).decision, Decision.NEEDS_APPROVAL);
  });

  it("denies what is absent, and refuses a chain that is malformed", async () => {
    assert.equal((await ask({ action: Action.UNSPECIFIED })).decision, Decision.DENY);
    for (const chain of [undefined, { links: [] }, { links: [{ id: "corp/alice", kind: LinkKind.UNSPECIFIED, sessionId: sid(0) }] }]) {
      await assert.rejects(ask({ chain }), (error) => error instanceof Refusal && error.reason === "INVALID_REQUEST");
    }
  });

  it("is ready with its policies, and has put the load on record", () => {
    assert.deepEqual(pdp.health(), { pdp: { ok: true } });
    const journal = join(folder, "pdp", "journal");
    const written = readdirSync(journal)
      .map((name) => readFileSync(join(journal, name), "utf8"))
      .join();
    assert.match(written, /policies\.load/);
  });

  it("answers POLICY_UNAVAILABLE, and is not ready, where it has no policies", async () => {
    const whole = folder;
    folder = mkdtempSync(join(tmpdir(), "sallyport-pdp-"));
    try {
      await initKeys({ dataDir: folder, trustDomain: "test.internal" });
      const lone = await run("pdp", start, nowhere);
      const other = await run(
        "broker",
        starterOf((found) => {
          lonely = found;
        }),
        `pdp: "${formatAddress(lone.addresses.peers!)}"`,
      );
      try {
        const [health] = Object.values(lone.health());
        assert.match(health?.ok === false ? health.why : "", /policies are refused: .*cannot be read/);
        await assert.rejects(lonely!.check({}), (error) => error instanceof Refusal && error.reason === "POLICY_UNAVAILABLE");
      } finally {
        await other.stop();
        await lone.stop();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
      folder = whole;
    }
  });
});
