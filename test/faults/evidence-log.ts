import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The parts of a record (OCSF) that these tests look at. */
export interface Evidence {
  readonly time: number;
  readonly metadata: { uid: string; event_code: string };
  readonly status: string;
  /** Of an authentication (3002). */
  readonly auth_protocol?: string;
  readonly status_id: number;
  readonly status_code?: string;
  readonly status_detail?: string;
  /** Where one record tells of several refusals. */
  readonly count?: number;
  readonly actor?: { user?: { uid?: string } };
  readonly unmapped: {
    sallyport: {
      phase: "intent" | "outcome" | "event" | string;
      intent_uid?: string;
      access_request_id?: string;
      secret?: { name: string };
      statement?: { masked: string };
      approvers?: { id: string }[];
      details?: Record<string, unknown>;
    };
    delegation?: { id: string }[];
  };
}

const segmentsOf = (log: string) =>
  readdirSync(log)
    .filter((name) => /^\d+\.jsonl$/.test(name))
    .sort();

/** Lines of the log, in order. @param log its folder */
export function logLines(log: string): string[] {
  return segmentsOf(log).flatMap((name) => {
    const text = readFileSync(join(log, name), "utf8");
    // The writer may be in the middle of the last line.
    return text
      .slice(0, text.lastIndexOf("\n") + 1)
      .split("\n")
      .filter((line) => line !== "");
  });
}

export const readEvidence = (log: string): Evidence[] => logLines(log).map((line) => JSON.parse(line) as Evidence);

/** Waits until the log holds what is looked for. @throws after `timeoutMs` */
export async function evidenceOnce(
  log: string,
  what: string,
  found: (records: Evidence[]) => boolean,
  timeoutMs = 10_000,
): Promise<Evidence[]> {
  for (const until = Date.now() + timeoutMs; ; await sleep(50)) {
    const records = readEvidence(log);
    if (found(records)) return records;
    if (Date.now() > until) throw new Error(`not in evidence after ${timeoutMs} ms: ${what}`);
  }
}

/** Waits until nothing more comes: the journals reach the log within moments. */
export async function settledEvidence(log: string): Promise<Evidence[]> {
  for (let last = -1, same = 0; ; await sleep(100)) {
    const bytes = segmentsOf(log).reduce((sum, name) => sum + statSync(join(log, name)).size, 0);
    same = bytes === last ? same + 1 : 0;
    if (same === 8) return readEvidence(log);
    last = bytes;
  }
}

/** Intents of uses with all their outcomes. */
export function usesIn(records: readonly Evidence[]): { intent: Evidence; outcomes: Evidence[] }[] {
  const outcomes = Map.groupBy(records, (record) => record.unmapped.sallyport.intent_uid);
  return records
    .filter((record) => record.metadata.event_code === "secret.use" && record.unmapped.sallyport.phase === "intent")
    .map((intent) => ({ intent, outcomes: outcomes.get(intent.metadata.uid) ?? [] }));
}

/** What ended a use: its outcomes, or the refusal that kept it from beginning. @param marker occurs in its path and nowhere else */
export const terminalEvents = (records: readonly Evidence[], marker: string): Evidence[] =>
  records.filter(
    ({ metadata, unmapped: { sallyport } }) =>
      metadata.event_code === "secret.use" && sallyport.phase !== "intent" && sallyport.statement?.masked.includes(marker),
  );
