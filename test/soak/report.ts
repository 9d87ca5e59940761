import type { SoakSettings } from "./settings.ts";
import type { Second } from "./timeline.ts";

/** A fault that befell, in seconds from the beginning. */
export interface SufferedFault {
  readonly name: string;
  readonly at: number;
  /** When the part ran again. */
  readonly backAt: number;
  /** Milliseconds from then until a use had succeeded at each broker; null where none did. */
  readonly recoveredMs: number | null;
}

/** What a soak found. It went well where there are no problems and no leaks. */
export interface Report {
  readonly settings: SoakSettings;
  readonly seconds: readonly Second[];
  readonly total: Omit<Second, "at">;
  readonly faults: readonly SufferedFault[];
  /** A sentence each: an effect without record, an interrupted use without its one outcome, a part that did not recover. */
  readonly problems: readonly string[];
  /** Where the secret was found. */
  readonly leaks: readonly string[];
  /** Requests that reached the target. */
  readonly served: number;
  /** Uses on record, and how many of them ended so that nobody can know. */
  readonly recorded: number;
  readonly unknown: number;
  /** Records in the log, and in Kafka; `resends` came there more than once. */
  readonly evidence: number;
  readonly resends: number;
  readonly scanned: {
    readonly answers: number;
    readonly differentAnswers: number;
    readonly files: number;
    readonly bytes: number;
    readonly spanBytes: number;
  };
}

/** The report as people read it, below the plot. */
export function summary({ settings, total, faults, problems, leaks, scanned, ...counts }: Report): string {
  const refused = Object.entries(total.refused).map(([reason, count]) => `${reason} ${count}`);
  const recoveries = faults.flatMap(({ recoveredMs }) => recoveredMs ?? []);
  return [
    `${settings.agents} agents in ${settings.trees} trees over two brokers, ${settings.seconds} s, seed ${settings.seed}`,
    `uses: ${total.done} done, p50 ${total.p50} ms, p99 ${total.p99} ms; refused: ${refused.join(", ") || "none"}`,
    `faults: ${faults.length}; longest recovery ${recoveries.length === 0 ? "–" : `${Math.max(...recoveries)} ms`}`,
    `effects: ${counts.served} reached the target, ${counts.recorded} uses on record, ${counts.unknown} of them with an unknown end`,
    `evidence: ${counts.evidence} records, in Kafka the same (${counts.resends} resent), verified`,
    `looked for the secret in ${scanned.answers} answers, ${scanned.files} files (${megabytes(scanned.bytes)}), ${megabytes(scanned.spanBytes)} of spans`,
    `leaks: ${leaks.length}${listed(leaks)}`,
    `problems: ${problems.length}${listed(problems)}`,
  ].join("\n");
}

const shown = 20;
const listed = (all: readonly string[]) =>
  [...all.slice(0, shown), ...(all.length > shown ? [`… and ${all.length - shown} more`] : [])].map((one) => `\n  ${one}`).join("");
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
