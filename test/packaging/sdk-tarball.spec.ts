import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { root, runTool } from "../check/command.ts";
import { type HostileApi, startHostileApi } from "../demo/hostile-api.ts";
import { type Installation, startEmbedded } from "../demo/installation.ts";
import { type Issuer, startIssuer } from "../demo/issuer.ts";
import { mustRun } from "../demo/process.ts";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";
import { installed, run, systemNode } from "./installed.ts";

/** A workload that signs in, starts a nested agent and prints what that one got. */
const parent = `
import { Action, Agent } from "@sallyport/sdk";
const { endpoints, subjectToken } = JSON.parse(process.argv[2] === "stdin" ? await new Response(process.stdin).text() : "{}");
const ceiling = (...actions) => ({ entries: [{ actions, secrets: ["prod/orders/*"], targets: ["orders-read"] }] });
const agent = await Agent.signIn({ endpoints, subjectToken, name: "release", ceiling: ceiling(Action.USE, Action.LIST, Action.DELEGATE) });
const { child, sessionId } = await agent.spawn(process.execPath, ["child.js"], { name: "deploy", ceiling: ceiling(Action.USE) });
child.stdin.end();
let printed = "";
for await (const piece of child.stdout) printed += piece;
console.log(JSON.stringify({ id: agent.id, secrets: await agent.list(), sessionId, child: JSON.parse(printed) }));
agent.close();
`;

const child = `
import { Agent, Refusal } from "@sallyport/sdk";
const agent = await Agent.enrol();
const answer = await agent.use({ target: "orders-read", path: "/v1/echo/raw" });
const refused = await agent.describe("prod/orders/read").then(() => "allowed", (error) => (error instanceof Refusal ? error.reason : String(error)));
console.log(JSON.stringify({ id: agent.id, status: answer.status, text: await answer.text(), masked: answer.maskedValues(), described: refused }));
agent.close();
`;

const offline = `
import { ProofMaker, readHandover, reasons, Refusal, writeHandover } from "@sallyport/sdk";
const key = ProofMaker.generate();
const handover = { ticket: "t", authn: "127.0.0.1:7443", broker: "127.0.0.1:7443", audience: "https://example.internal" };
let reason;
try { readHandover("no ticket"); } catch (error) { reason = error instanceof Refusal && error.reason; }
console.log(JSON.stringify({ thumbprint: key.thumbprint, same: readHandover(writeHandover(handover)).ticket, reason, exit: reasons.TICKET_INVALID.exit }));
`;

const typed = `
import { Action, Agent, type Endpoints, type Refusal, type UseResult } from "@sallyport/sdk";
declare const endpoints: Endpoints;
const agent: Agent = await Agent.signIn({ endpoints, subjectToken: "t", name: "n", ceiling: { entries: [{ actions: [Action.USE], secrets: ["*"], targets: ["*"] }] } });
const result: UseResult = await agent.use({ target: "t", path: "/" });
const status: number = result.status;
const reviews = agent.session.reviews.listReviews({ pendingOnly: true }).then((page) => page.reviews.map((review) => review.digest.length + status));
// @ts-expect-error: a path is needed
void agent.use({ target: "t" });
export const shown = (refusal: Refusal): [string, Promise<number[]>] => [refusal.reason, reviews];
`;

describe("the SDK as it is published", function () {
  this.timeout(300_000);
  let folder: string;
  const node = systemNode();

  before(async () => {
    folder = await installed("@sallyport/sdk");
    for (const [name, code] of Object.entries({ parent, child, offline })) writeFileSync(join(folder, `${name}.js`), code);
  });
  after(() => removeScratch(folder));

  it("runs as plain JavaScript on the machine's own Node, without a server", async () => {
    const { thumbprint, ...rest } = JSON.parse(await run(node, ["offline.js"], folder));
    assert.match(thumbprint, /^[\w-]{43}$/);
    assert.deepEqual(rest, { same: "t", reason: "TICKET_INVALID", exit: 3 });
  });

  it("is typed for who uses it, by itself", async () => {
    writeFileSync(join(folder, "typed.ts"), typed);
    const compilerOptions = {
      strict: true,
      module: "nodenext",
      target: "es2022",
      lib: ["es2022", "esnext.disposable", "dom"],
      noEmit: true,
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["typed.ts"] }));
    await runTool("tsc", ["-p", join(folder, "tsconfig.json")]);
  });

  describe("with a Sallyport", () => {
    const canary = "canary-of-the-sdk-tarball-3b1f";
    let state: string;
    let issuers: Issuer[];
    let api: HostileApi;
    let installation: Installation;

    before(async () => {
      state = scratchFolder("sdk");
      issuers = [await startIssuer(), await startIssuer()];
      api = await startHostileApi(canary);
      mkdirSync(join(state, "logs"), { recursive: true });
      installation = await startEmbedded({ state, peopleIssuer: issuers[0]!.url, workloadIssuer: issuers[1]!.url, apiUrl: api.url });
      const env = { SALLYPORT_HOME: join(state, "home") };
      const input = await issuers[0]!.idToken({ subject: "kim", groups: ["secret-keepers"] }, "sallyport");
      await mustRun(["login", "--id-token-stdin", "-c", installation.configFile], { input, env });
      await mustRun(["secrets", "write", "prod/orders/read", "--field", "token"], { input: canary, env });
    });
    after(async () => {
      await installation?.stop();
      await Promise.all([api?.stop(), ...(issuers ?? []).map((issuer) => issuer.stop())]);
      removeScratch(state);
    });

    it("signs in, starts a nested agent in a process of its own, and uses a secret that neither ever sees", async () => {
      const subjectToken = await issuers[1]!.idToken({ subject: "release-bot", groups: ["release-pipelines"] }, "sallyport");
      const workload = spawn(node, ["parent.js", "stdin"], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
      workload.stdin.end(JSON.stringify({ endpoints: installation.endpoints, subjectToken }));
      const [printed, [code]] = await Promise.all([text(workload.stdout), once(workload, "close")]);
      assert.equal(code, 0);
      assert.ok(!printed.includes(canary));
      const story = JSON.parse(printed);
      assert.equal(story.id, "ci/release-bot#release");
      assert.equal(story.child.id, "ci/release-bot#release/deploy");
      assert.match(story.child.text, /your token is \[sallyport:prod\/orders\/read#token\]/);
      assert.deepEqual([story.child.status, story.child.masked, story.child.described], [200, 1, "DENIED_BY_POLICY"]);
      assert.deepEqual(story.secrets, ["prod/orders/api", "prod/orders/read"]);
      assert.equal(api.served.length, 1);
    });
  });
});
