/** What one benchmark found, as `--json` writes it. */
export interface Figure {
  /** One of the names that `npm run bench` takes; several figures of one name differ in what follows. */
  readonly name: string;
  /** Agents in the chain, where that is what varies. */
  readonly depth?: number;
  /** How the callers' credentials are bound, where that is what varies. */
  readonly binding?: "mtls" | "dpop";
  /** Whether the store is asked for each use, or its value used again for a while. */
  readonly store?: "cached" | "asked";
  /** Brokers in processes of their own; left out where all four services are in one. */
  readonly brokers?: number;
  /** The text, where that is what varies. */
  readonly kind?: string;
  /** The median over the runs. */
  readonly value: number;
  /** `1/s` and `MB/s` are better high, all others low. */
  readonly unit: "1/s" | "MB/s" | "s" | "ms" | "µs" | "MB";
  /** Milliseconds of one call, medians over the runs; null where calls are not what is measured. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** What stands beside it, measured in alternation on the same machine; null where there is none, and then `skipped` may say why. */
  readonly peer: string | null;
  readonly peerValue: number | null;
  /** value / peerValue */
  readonly ratio: number | null;
  readonly runs: readonly { readonly value: number; readonly peerValue: number | null }[];
  readonly skipped?: string;
}

/** One run of a load. */
export interface Run {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Settings {
  /** Of each measured run. */
  readonly seconds: number;
  /** Seconds for which each contender is called before the first run, so that what is measured is compiled and its caches are full. */
  readonly warmUp: number;
  readonly runs: number;
  /** Calls in flight at a time. */
  readonly concurrency: number;
  /** Says what is happening, to a person who waits. */
  readonly say: (text: string) => void;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** A figure of throughput from alternating runs. @param theirs empty where the peer cannot be had */
export function throughput(
  about: Pick<Figure, "name" | "depth" | "binding" | "store" | "brokers"> & { peer: string; skipped?: string | undefined },
  ours: readonly Run[],
  theirs: readonly Run[],
): Figure {
  const { peer, skipped, ...what } = about;
  const value = rounded(median(ours.map((run) => run.perSecond)));
  const peerValue = theirs.length === 0 ? null : rounded(median(theirs.map((run) => run.perSecond)));
  return {
    ...what,
    value,
    unit: "1/s",
    p50: rounded(median(ours.map((run) => run.p50))),
    p99: rounded(median(ours.map((run) => run.p99))),
    peer: peerValue === null ? null : peer,
    peerValue,
    ratio: peerValue === null ? null : rounded(value / peerValue),
    runs: ours.map((run, i) => ({ value: rounded(run.perSecond), peerValue: rounded(theirs[i]?.perSecond) })),
    ...(skipped === undefined ? {} : { skipped }),
  };
}

/** Three digits say more than such a machine can promise. */
export function rounded(value: number): number;
export function rounded(value: number | undefined): number | null;
export function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(3));
}

/** A figure as people call it: `broker.use, chain of 3, mtls`. */
export const titleOf = ({
  name,
  depth,
  binding,
  store,
  brokers,
  kind,
}: Pick<Figure, "name" | "depth" | "binding" | "store" | "brokers" | "kind">): string =>
  [
    name,
    depth === undefined ? undefined : `chain of ${depth}`,
    binding,
    store === "asked" ? "no cache" : undefined,
    brokers === undefined ? undefined : `${brokers} brokers`,
    kind,
  ]
    .filter((part) => part !== undefined)
    .join(", ");
