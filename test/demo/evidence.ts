import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Installation } from "./installation.ts";
import { readTopic } from "./kafka-topic.ts";
import { mustRun, sallyport } from "./process.ts";
import type { Reporter } from "./reporter.ts";

/** The parts of a record (OCSF) that the story shows. */
interface Evidence {
  time: number;
  metadata: { uid: string; event_code: string };
  status_id: number;
  status: string;
  status_code?: string;
  unmapped: {
    sallyport: {
      phase: string;
      secret?: { name: string; version?: string };
      statement?: { masked: string };
      policies?: { determining: string[] };
      approvers?: { id: string }[];
    };
    delegation?: { id: string }[];
  };
}

/** Shows who did what through whom, verifies the log, and shows that no copy can be altered without being found out. */
export async function inspectEvidence(installation: Installation, state: string, report: Reporter): Promise<void> {
  report.chapter("The evidence");
  const log = join(installation.auditDataDir, "audit", "log");
  await settled(log);
  const records = readLog(log);
  report.show("release-bot (ci, owned by corp/alice)");
  report.show("└─ release └─ deploy └─ migration");
  for (const record of records) {
    const { phase, secret, statement, policies, approvers } = record.unmapped.sallyport;
    if (phase === "intent") continue;
    const who = record.unmapped.delegation?.at(-1)?.id ?? "—";
    const what = [
      record.metadata.event_code,
      secret && `${secret.name}${secret.version === undefined ? "" : ` v${secret.version}`}`,
      statement?.masked,
    ]
      .filter(Boolean)
      .join(" ");
    const why = [
      policies?.determining.length ? `policy ${policies.determining.join(", ")}` : undefined,
      approvers?.length ? `approved by ${approvers.map(({ id }) => id).join(", ")}` : undefined,
    ].filter(Boolean);
    report.show(
      `${new Date(record.time).toISOString().slice(11, 23)} ${who}  ${what}  → ${record.status_code ?? record.status}${why.length === 0 ? "" : `  (${why.join("; ")})`}`,
      record.metadata.uid,
    );
  }
  const events = new Set(records.map((record) => record.metadata.event_code));
  for (const event of ["secret.use", "review.open", "review.approve"]) report.check(events.has(event), `${event} is on record`);
  const reasons = new Set(records.map((record) => record.status_code));
  for (const reason of [
    "DENIED_BY_POLICY",
    "PROOF_INVALID",
    "DELEGATION_EXCEEDED",
    "APPROVAL_REQUIRED",
    "APPROVAL_EXPIRED",
    "CREDENTIAL_REVOKED",
  ])
    report.check(reasons.has(reason), `the refusal ${reason} is on record`);

  if (installation.scaledOut !== undefined) {
    const { lines, resends } = await readTopic(installation.scaledOut.kafka, installation.scaledOut.topic);
    const logged = rawLines(log);
    report.check(
      lines.length === logged.length && lines.every((line, index) => line === logged[index]),
      "Kafka holds the same records, byte for byte",
      `${lines.length} records, ${resends} resends`,
    );
    const unknown = records.filter((record) => record.unmapped.sallyport.phase === "outcome" && record.status_code === "OUTCOME_UNKNOWN");
    report.check(unknown.length > 0, "the use that was cut by the kill has an outcome of its own: unknown", unknown[0]?.metadata.uid);
  }

  report.chapter("Can it be altered?");
  const verified = await mustRun(["audit", "verify", "--log", log]);
  report.check(true, "the log verifies", verified.trim().split("\n")[0]);
  const checkpoint = join(state, "checkpoint-kept-elsewhere");
  writeFileSync(checkpoint, newestCheckpoint(log));
  const altered = async (name: string, alter: (lines: string[]) => string[], wanted: RegExp) => {
    const copy = join(state, `evidence-${name}`);
    cpSync(log, copy, { recursive: true });
    const file = join(copy, segments(copy)[0] as string);
    writeFileSync(file, `${alter(readFileSync(file, "utf8").trimEnd().split("\n")).join("\n")}\n`);
    const ran = await sallyport(["audit", "verify", "--log", copy, "--checkpoint", checkpoint]);
    const said = `${ran.stdout}${ran.stderr}`.trim();
    report.check(
      ran.code === 1 && wanted.test(said),
      `a copy with a record ${name}: found`,
      said.split("\n").find((line) => wanted.test(line)) ?? said,
    );
  };
  await altered("edited", (lines) => lines.with(3, (lines[3] as string).replace("Sallyport", "Sallyp0rt")), /\b3\b/);
  await altered("dropped", (lines) => lines.toSpliced(5, 1), /\b5\b/);
  await altered("truncated", (lines) => lines.slice(0, -3), new RegExp(`\\b${records.length - 3}\\b`));
}

const segments = (log: string) =>
  readdirSync(log)
    .filter((name) => name.endsWith(".jsonl") && !name.startsWith("checkpoint"))
    .sort();

const rawLines = (log: string): string[] =>
  segments(log).flatMap((name) =>
    readFileSync(join(log, name), "utf8")
      .split("\n")
      .filter((line) => line !== ""),
  );

const readLog = (log: string): Evidence[] => rawLines(log).map((line) => JSON.parse(line) as Evidence);

/** The journals reach the log within moments; the story waits until nothing more comes. */
async function settled(log: string): Promise<void> {
  for (let last = -1, same = 0; same < 4; ) {
    const count = readLog(log).length;
    same = count === last ? same + 1 : 0;
    last = count;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function newestCheckpoint(log: string): string {
  const lines = readFileSync(join(log, "checkpoints.jsonl"), "utf8").trimEnd().split("\n");
  const line = JSON.parse(lines.at(-1) as string) as string | { checkpoint: string; note?: string };
  return typeof line === "string" ? line : (line.checkpoint ?? line.note);
}
