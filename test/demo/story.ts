import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { scanFor } from "@sallyport/masking";
import { Action } from "@sallyport/sdk";
import { inspectEvidence } from "./evidence.ts";
import { type HostileApi, startHostileApi, tricks } from "./hostile-api.ts";
import { type Installation, type ScaledOut, startEmbedded } from "./installation.ts";
import { startIssuer } from "./issuer.ts";
import { mustRun, printed, sallyport } from "./process.ts";
import { type Outcome, Puppets } from "./puppet.ts";
import type { Reporter } from "./reporter.ts";
import { startScaledOut } from "./scaled-out.ts";
import { scanFolder } from "./scan.ts";

const orders = (actions: Action[]) => ({ entries: [{ actions, secrets: ["prod/orders/*"], targets: ["orders-api", "orders-read"] }] });
const refund = {
  target: "orders-api",
  secret: "prod/orders/api",
  method: "POST",
  path: "/v1/refunds",
  headers: { "content-type": "application/json" },
  body: '{"order":42,"cents":1999}',
};
const deploy = ["deploy"];
const migration = ["deploy", "migration"];

/** The story of one secret, three nested agents, a person who approves, and everybody who should not get through. */
export async function tellStory(
  { state, canary, real }: { state: string; canary: string; real: boolean },
  report: Reporter,
): Promise<void> {
  const people = await startIssuer();
  const workloads = await startIssuer();
  const api = await startHostileApi(canary);
  const began = performance.now();
  const world = { state, peopleIssuer: people.url, workloadIssuer: workloads.url, apiUrl: api.url };
  const installation = real ? await startScaledOut(world) : await startEmbedded(world);
  report.chapter(installation.title);
  report.check(true, "authn, pdp, broker and audit serve", `${((performance.now() - began) / 1000).toFixed(1)} s`);
  let puppets: Puppets | undefined;
  const beside: ({ folder: string } & ReturnType<typeof scanFolder>)[] = [];
  try {
    const home = { env: { SALLYPORT_HOME: join(state, "home") } };
    const signIn = async (name: string, groups: string[]) =>
      mustRun(["login", "--id-token-stdin", "--profile", name, ...whereIs(installation)], {
        input: await people.idToken({ subject: name, groups }, "sallyport"),
        ...home,
      });
    await Promise.all([
      signIn("alice", ["release-approvers"]),
      signIn("bob", ["release-approvers"]),
      signIn("kim", ["secret-keepers"]),
      signIn("sam", ["security"]),
    ]);
    const write = (secret: string) =>
      mustRun(["secrets", "write", secret, "--field", "token", "--profile", "kim"], { input: canary, ...home });
    await Promise.all(["prod/orders/api", "prod/orders/read", "prod/payroll/db"].map(write));
    report.check(true, "people sign in; kim stores the secrets without being able to read any");

    puppets = await chainOfThree(
      installation,
      await workloads.idToken({ subject: "release-bot", groups: ["release-pipelines"], owner: "alice" }, "sallyport"),
      report,
    );
    await approvedUse(puppets, api, canary, home, report);
    await hostileAnswers(puppets, canary, report);
    await refusals(puppets, home, report);
    if (installation.scaledOut !== undefined) await brokerKilled(puppets, installation.scaledOut, report);
    await revocation(puppets, home, report);
    await inspectEvidence(installation, state, report);
    // The real servers' folders go with them.
    for (const folder of installation.otherFolders) beside.push({ folder, ...scanFolder(folder, canary) });
  } finally {
    puppets?.stop();
    await installation.stop();
    await Promise.all([api.stop(), people.stop(), workloads.stop()]);
  }
  report.chapter("Where is the secret now?");
  for (const { folder, ...files } of [{ folder: state, ...scanFolder(state, canary) }, ...beside]) {
    report.check(
      files.scanned > 0 && (folder !== state || files.scanned > 3),
      `${files.scanned} files in ${folder}`,
      `${files.bytes} bytes`,
    );
    report.check(files.findings.length === 0, "none of them holds the secret, in any encoding", files.findings.join(", "));
  }
  const said = scanFor(canary, Buffer.from(printed.join("\n")));
  report.check(said.length === 0, "nothing that was printed holds it", said.map(({ encoding }) => String(encoding)).join(", "));
}

async function chainOfThree(installation: Installation, token: string, report: Reporter): Promise<Puppets> {
  report.chapter("Three agents, each its own process with its own key: release → deploy → migration");
  const actions = [Action.LIST, Action.READ, Action.USE, Action.DELEGATE];
  const puppets = Puppets.signingIn({ endpoints: installation.endpoints, subjectToken: token, name: "release", ceiling: orders(actions) });
  const release = await puppets.ready();
  report.check(release.ready === "ci/release-bot#release", "release signs in with its workload's identity", release.ready);
  const second = await puppets.tell([], "spawn", { name: "deploy", ceiling: orders(actions) });
  report.check(second.ok, "deploy enrols with a ticket for its key", enrolled(second));
  const third = await puppets.tell(deploy, "spawn", { name: "migration", ceiling: orders([Action.LIST, Action.READ, Action.USE]) });
  report.check(third.ok, "migration enrols the same way, for less", enrolled(third));
  return puppets;
}

async function approvedUse(
  puppets: Puppets,
  api: HostileApi,
  canary: string,
  home: { env: NodeJS.ProcessEnv },
  report: Reporter,
): Promise<void> {
  report.chapter("migration moves money with prod/orders/api: a person approves exactly that");
  const described = await puppets.tell(migration, "describe", { secret: "prod/orders/api" });
  report.check(
    described.ok,
    "it sees the secret's version and fingerprint, and a placeholder for its value",
    described.ok ? seen(described.result as Seen) : sentenceOf(described),
  );
  const held = await puppets.tell(migration, "use", refund);
  report.check(isRefused(held, "APPROVAL_REQUIRED"), "held for review", sentenceOf(held));
  const id = held.ok ? "" : (held.metadata.access_request_id ?? "");
  const review = JSON.parse(await mustRun(["reviews", "show", id, "--profile", "bob", "-o", "json"], home));
  report.show(`bob sees: ${review.summary}  ${review.bodyPreview}`);

  const own = await sallyport(["reviews", "approve", id, "--digest", review.digest, "--profile", "alice"], home);
  report.check(own.code === 3 && /own|started/.test(own.stderr), "alice may not approve: the pipeline is hers", lastLine(own.stderr));
  const byAgent = await puppets.tell(deploy, "approve", { reviewId: id, digest: review.digest });
  report.check(isRefused(byAgent, "DENIED_BY_POLICY"), "nor may deploy, which is in the chain", sentenceOf(byAgent));

  const waiting = puppets.tell(migration, "wait", { accessRequestId: id });
  await mustRun(["reviews", "approve", id, "--digest", review.digest, "--reason", "ticket 7", "--profile", "bob"], home);
  report.check((await waiting).ok, "bob approves; the agent that waited carries on");

  const changed = await puppets.tell(migration, "use", { ...refund, body: '{"order":42,"cents":999999}', accessRequestId: id });
  report.check(isRefused(changed, "DENIED_BY_POLICY"), "another body than the approved one: refused", sentenceOf(changed));
  const used = await puppets.tell(migration, "use", { ...refund, accessRequestId: id });
  const text = used.ok ? String((used.result as { text: string }).text) : "";
  report.check(
    used.ok && api.served.length === 1 && text.includes("[sallyport:prod/orders/api#token]") && !text.includes(canary),
    "used once at the target; the answer shows a placeholder",
    text || sentenceOf(used),
  );
  const again = await puppets.tell(migration, "use", { ...refund, accessRequestId: id });
  report.check(
    isRefused(again, "APPROVAL_EXPIRED") && api.served.length === 1,
    "the approved grant a second time: refused",
    sentenceOf(again),
  );
}

async function hostileAnswers(puppets: Puppets, canary: string, report: Reporter): Promise<void> {
  report.chapter("The target gives the secret back in every way it can");
  for (const trick of Object.keys(tricks)) {
    const answer = await puppets.tell(migration, "use", { target: "orders-read", path: `/v1/echo/${trick}` });
    const {
      text,
      headers,
      maskedValues: masked,
    } = (answer.ok ? answer.result : { text: "", headers: [], maskedValues: 0 }) as {
      text: string;
      headers: { name: string; value: string }[];
      maskedValues: number;
    };
    const found = [text, ...headers.map(({ value }) => value)].flatMap((part) => scanFor(canary, Buffer.from(part)));
    report.check(
      answer.ok && found.length === 0 && masked > 0,
      trick,
      answer.ok
        ? shorten(trick === "header" || trick === "redirect" ? JSON.stringify(headers.map(({ name, value }) => `${name}: ${value}`)) : text)
        : sentenceOf(answer),
    );
  }
}

async function refusals(puppets: Puppets, _home: { env: NodeJS.ProcessEnv }, report: Reporter): Promise<void> {
  report.chapter("Who does not get through");
  const never = await puppets.tell(migration, "describe", { secret: "prod/payroll/db" });
  const missing = await puppets.tell(migration, "describe", { secret: "prod/payroll/no" });
  report.check(isRefused(never, "DENIED_BY_POLICY"), "a secret that its parent never had", sentenceOf(never));
  report.check(
    !never.ok &&
      !missing.ok &&
      never.reason === missing.reason &&
      never.sentence.replaceAll("payroll/db", "") === missing.sentence.replaceAll("payroll/no", ""),
    "one that does not exist: the same answer",
    sentenceOf(missing),
  );
  const token = await puppets.tell(migration, "token");
  const stolen = await puppets.tell([], "stolen-token", { token: token.ok ? token.result : "" });
  report.check(isRefused(stolen, "PROOF_INVALID"), "its token in another process, without its key", sentenceOf(stolen));
  const replay = await puppets.tell(migration, "replayed-proof");
  report.check(isRefused(replay, "PROOF_INVALID"), "a proof that was used before", sentenceOf(replay));
  const body = await puppets.tell(migration, "proof-for-another-body");
  report.check(isRefused(body, "PROOF_INVALID"), "a proof for another body", sentenceOf(body));
  const more = await puppets.tell(deploy, "delegate", {
    name: "greedy",
    thumbprint: "A".repeat(43),
    ceiling: { entries: [{ actions: [Action.USE], secrets: ["prod/*"], targets: ["*"] }] },
  });
  report.check(isRefused(more, "DELEGATION_EXCEEDED"), "a parent that hands on more than it has", sentenceOf(more));
}

async function revocation(puppets: Puppets, home: { env: NodeJS.ProcessEnv }, report: Reporter): Promise<void> {
  report.chapter("deploy misbehaves: one revocation, and its whole subtree is dead");
  const streaming = Promise.withResolvers<void>();
  const stream = puppets.tell(migration, "stream", { target: "orders-read", path: "/v1/ledger" }, streaming.resolve);
  const started = await Promise.race([streaming.promise.then(() => true), stream.then(() => false)]);
  report.check(started, "migration streams a long answer");
  await mustRun(["revoke", "--agent", "ci/release-bot#release/deploy", "--reason", "misbehaves", "--profile", "sam"], home);
  const revokedAt = performance.now();
  const cut = await stream;
  const after = performance.now() - revokedAt;
  report.check(
    isRefused(cut, "CREDENTIAL_REVOKED") && after < 1000,
    "the stream is cut within a second",
    `${Math.round(after)} ms: ${sentenceOf(cut)}`,
  );
  const dead = await puppets.tell(migration, "list");
  report.check(isRefused(dead, "CREDENTIAL_REVOKED"), "its next call is refused", sentenceOf(dead));
  await sleep(50);
  const parent = await puppets.tell([], "list");
  report.check(parent.ok, "release itself, above it, still works", detailOf(parent));
}

/** The agent's broker loses its power in the middle of an answer; the other one serves on, and the use has an outcome all the same. */
async function brokerKilled(puppets: Puppets, { killBroker, restartBroker }: ScaledOut, report: Reporter): Promise<void> {
  report.chapter("One of the two brokers is killed in the middle of a use");
  const streaming = Promise.withResolvers<void>();
  const stream = puppets.tell(migration, "stream", { target: "orders-read", path: "/v1/ledger" }, streaming.resolve);
  await streaming.promise;
  killBroker();
  const broken = await stream;
  report.check(!broken.ok, "the agent is told that nobody knows how it ended", sentenceOf(broken));
  const next = await puppets.tell(migration, "use", { target: "orders-read", path: "/v1/orders/42" });
  report.check(next.ok, "its next use is served by the other broker", detailOf(next));
  await restartBroker();
  report.check(true, "the killed broker's successor starts, and drains its journal");
}

/** How the command line finds the installation: by its configuration, or by the addresses of the scaled-out form. */
function whereIs({ configFile, endpoints, scaledOut }: Installation): string[] {
  if (scaledOut === undefined) return ["-c", configFile];
  return [
    "--authn",
    endpoints.authn,
    "--broker",
    endpoints.broker,
    "--audience",
    endpoints.audience,
    "--ca",
    join(dirname(configFile), "authn", "keys", "services-ca.crt"),
  ];
}

interface Seen {
  readonly version: string;
  readonly fields: readonly { name: string; placeholder: string; fingerprint: string }[];
}
const seen = ({ version, fields }: Seen) =>
  [`version ${version}`, ...fields.map((field) => `${field.name} = ${field.placeholder}, fingerprint ${field.fingerprint}`)].join(", ");

const isRefused = (outcome: Outcome, reason: string) => !outcome.ok && outcome.reason === reason;
const sentenceOf = (outcome: Outcome) => (outcome.ok ? "it was allowed" : `${outcome.reason}: ${outcome.sentence}`);
const detailOf = (outcome: Outcome) => (outcome.ok ? JSON.stringify(outcome.result) : sentenceOf(outcome));
const enrolled = (outcome: Outcome) => {
  if (!outcome.ok) return sentenceOf(outcome);
  const { sessionId, pid } = outcome.result as { sessionId: string; pid: number };
  return `process ${pid}, session ${sessionId}`;
};
const lastLine = (text: string) => text.trim().split("\n").at(-1) ?? "";
const shorten = (text: string) => (text.length > 110 ? `${text.slice(0, 110)}…` : text).replaceAll("\n", "⏎");
