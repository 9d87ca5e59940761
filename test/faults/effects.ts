import { setTimeout as sleep } from "node:timers/promises";
import { type Evidence, settledEvidence, usesIn } from "./evidence-log.ts";

/** A use on record. */
export interface RecordedUse {
  readonly intent: Evidence;
  readonly outcomes: readonly Evidence[];
}

/** What there is to compare: the log, and what the target saw. */
export interface Effects {
  readonly log: string;
  /** Requests that reached the target with the secret, each with a path of its own. */
  readonly served: readonly { readonly path: string }[];
}

/** The uses on record, once each request that the target served is among them and each has ended; the last state after 30 s. */
export async function completeUses({ log, served }: Effects): Promise<RecordedUse[]> {
  // A journal is shipped again within moments of the audit writer's return; what is still missing after that is lost.
  for (const until = Date.now() + 30_000; ; await sleep(500)) {
    const uses = usesIn(await settledEvidence(log));
    const recorded = new Set(uses.map(pathOf));
    const complete = uses.every(({ outcomes }) => outcomes.length > 0) && served.every(({ path }) => recorded.has(path));
    if (complete || Date.now() > until) return uses;
  }
}

/**
 * What is wrong between what the target saw, what is on record, and what agents were told; a sentence each.
 * @param succeeded paths of uses that agents were told succeeded
 */
export function effectProblems(served: Effects["served"], uses: readonly RecordedUse[], succeeded: Iterable<string>): string[] {
  const problems: string[] = [];
  const intents = Map.groupBy(uses, pathOf);
  const paths = new Set<string>();
  for (const { path } of served) {
    const found = intents.get(path)?.length ?? 0;
    if (found !== 1) problems.push(`${path} reached the target and has ${found} intents`);
    if (paths.has(path)) problems.push(`${path} reached the target twice`);
    paths.add(path);
  }
  for (const use of uses) {
    if (use.outcomes.length !== 1) problems.push(`${pathOf(use)} has ${use.outcomes.length} outcomes`);
    const [outcome] = use.outcomes;
    if (outcome?.status_id === 0 && !unknowns.has(outcome.status_code ?? ""))
      problems.push(`${pathOf(use)} is unknown for ${outcome.status_code}`);
  }
  for (const path of succeeded) {
    const outcome = intents.get(path)?.[0]?.outcomes[0];
    // The agent can be told the end a moment before the outcome is durable: then nobody who restarts can know.
    if (outcome?.status_id !== 1 && outcome?.status_id !== 0) problems.push(`${path} succeeded, and is on record as ${outcome?.status}`);
  }
  return problems;
}

const unknowns: ReadonlySet<string> = new Set(["OUTCOME_UNKNOWN", "CANCELLED", "STATE_UNAVAILABLE"]);

const pathOf = ({ intent }: RecordedUse): string => intent.unmapped.sallyport.statement?.masked.replace(/^[A-Z]+ /, "") ?? "";
