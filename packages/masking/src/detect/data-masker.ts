import type { DataHash } from "./data-hash.ts";
import { type DataRules, strictestOf } from "./data-rules.ts";
import { CustomFinder } from "./find/custom-finder.ts";
import { KnownFinder } from "./find/known-finder.ts";
import type { Finding } from "./finding.ts";
import { JsonSource } from "./json/json-source.ts";
import { type Source, TextSource } from "./source.ts";

/** How a body is read: as it stands; as JSON texts, one or several; as server-sent events with JSON in them. */
export type DataFormat = "text" | "json" | "events";

/** A rule says that what holds this category goes no further. */
export class DataRefused extends Error {
  override readonly name = "DataRefused";
  readonly category: string;

  constructor(category: string) {
    super(`It holds what looks like data of the category ${category}.`);
    this.category = category;
  }
}

export interface DataMaskerOptions {
  readonly format: DataFormat;
  /** Where a rule says `hash`. */
  readonly hash?: DataHash | undefined;
  /** Where rules speak of JSON members, a body that is no JSON is passed all the same, only its text looked through. */
  readonly passOther?: boolean | undefined;
}

/** What stands before a place that is still looked at is kept for so many bytes: a word there may tell what a number is. */
const contextBytes = 128;

/**
 * Masks data by rules in a stream. What is passed on holds back no more than what may still turn out to be a finding; chunks make no difference.
 * In JSON the text stays valid.
 */
export class DataMasker {
  readonly #source: Source;
  readonly #finders: readonly { scan: KnownFinder["scan"] }[];
  readonly #findings: Finding[] = [];
  readonly #hash: DataHash | undefined;
  readonly #counts = new Map<string, number>();
  /** Findings that overlap, and so are one. */
  #cluster: Finding[] = [];
  /** Everything before is passed on or masked. */
  #out = 0;

  constructor(rules: DataRules, { format, hash, passOther = false }: DataMaskerOptions) {
    this.#hash = hash;
    const found = (finding: Finding) => {
      if (finding.action === "refuse") throw new DataRefused(finding.category);
      this.#findings.push(finding);
    };
    this.#source = format === "text" ? new TextSource() : new JsonSource(rules.fields, { events: format === "events", passOther, found });
    const foundInView = (finding: Finding) => found(this.#source.toRaw(finding));
    this.#finders = [
      ...rules.known.map((detectors) => new KnownFinder(detectors, foundInView)),
      ...rules.patterns.map((rule) => new CustomFinder(rule, foundInView)),
    ];
  }

  /** How many findings of each category there were. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /**
   * Takes the next bytes; returns what is safe to pass on, which may be nothing.
   *
   * @throws DataRefused, DataUnreadable: nothing more may be passed on
   */
  push(chunk: Uint8Array): Uint8Array {
    this.#source.append(chunk);
    return this.#look(false);
  }

  /** The text ends: what was held back comes out. @throws DataRefused, DataUnreadable */
  end(): Uint8Array {
    this.#source.finish();
    return this.#look(true);
  }

  #look(final: boolean): Uint8Array {
    const { view, raw } = this.#source;
    let settled = view.end;
    for (const finder of this.#finders) settled = Math.min(settled, finder.scan(view, final));
    const out: Uint8Array[] = [];
    this.#pass(Math.min(this.#source.rawPosition(settled), this.#source.settled), out);
    if (final) {
      this.#flush(out);
      this.#copy(raw.end, out);
    }
    this.#source.forget(settled - contextBytes, this.#out);
    return out.length === 1 ? out[0]! : Buffer.concat(out);
  }

  /** Passes on what lies before `settled`, where the first finding that is still possible begins. */
  #pass(settled: number, out: Uint8Array[]): void {
    const findings = this.#findings;
    if (findings.length > 0) {
      findings.sort((one, other) => one.start - other.start || other.end - one.end);
      let count = 0;
      while (count < findings.length && findings[count]!.start < settled) this.#join(findings[count++]!, out);
      findings.splice(0, count);
    }
    const cluster = this.#cluster;
    if (cluster.length > 0) {
      this.#out = Math.max(this.#out, Math.min(settled, endOf(cluster)));
      if (!cluster.every(({ done }) => done) || settled < endOf(cluster)) return;
      this.#flush(out);
    }
    this.#copy(settled, out);
  }

  /** Adds a finding to those that it overlaps, or begins anew. */
  #join(finding: Finding, out: Uint8Array[]): void {
    if (this.#cluster.length > 0 && finding.start >= endOf(this.#cluster)) this.#flush(out);
    if (this.#cluster.length === 0) this.#copy(finding.start, out);
    this.#cluster.push(finding);
    this.#counts.set(finding.category, (this.#counts.get(finding.category) ?? 0) + 1);
  }

  /** What stands for the findings that are one. */
  #flush(out: Uint8Array[]): void {
    const cluster = this.#cluster;
    if (cluster.length === 0) return;
    this.#out = Math.max(this.#out, endOf(cluster));
    this.#cluster = [];
    const first = strictestOf(cluster);
    const bare = cluster.some((finding) => finding.bare === true);
    if (cluster.some((finding) => finding.member === true)) return;
    if (first.action === "drop") {
      if (bare) out.push(Buffer.from("null"));
      return;
    }
    const text = first.action === "hash" ? `[hash:${first.category}:${this.#hashOf(first)}]` : `[masked:${first.category}]`;
    out.push(Buffer.from(bare ? `"${text}"` : text));
  }

  #hashOf({ category, value }: Finding): string {
    if (this.#hash === undefined) throw new Error("a rule says hash, and there is no key for it");
    return this.#hash.of(category, value);
  }

  #copy(to: number, out: Uint8Array[]): void {
    if (to <= this.#out) return;
    const { bytes, base } = this.#source.raw;
    out.push(Uint8Array.prototype.slice.call(bytes, this.#out - base, to - base));
    this.#out = to;
  }
}

const endOf = (cluster: readonly Finding[]): number => cluster.reduce((end, finding) => Math.max(end, finding.end), 0);
