import { type PolicyProblem, problemText } from "@sallyport/cedar";
import { type Catalogue, loadBundle, type PolicyBundle, warnOfUnknown } from "@sallyport/policy";
import type { Logger } from "pino";
import { type FolderContents, readPolicyFolder } from "./policy-folder.ts";

/** Records that a bundle is about to be served, or was refused. Until it resolves the bundle is not served. */
export interface LoadRecords {
  loaded(bundle: PolicyBundle, previous: string | undefined): Promise<void>;
  refused(problems: readonly PolicyProblem[], serving: string | undefined): Promise<void>;
}

export interface ServedPoliciesOptions {
  readonly folder: string;
  readonly log: Logger;
  readonly records: LoadRecords;
  /** What is configured: policies that name something else are warned of. */
  readonly catalogue?: Catalogue;
  /** Milliseconds between looks at the folder; 500. */
  readonly everyMs?: number;
}

/**
 * The policies that decide now. A changed folder is taken over as a whole once it has stood still for one look (half a
 * file may be valid, and lack its forbids), is valid, and is on record; else the last good set stays.
 */
export class ServedPolicies {
  readonly #options: ServedPoliciesOptions;
  #current: PolicyBundle | undefined;
  #problems: readonly PolicyProblem[] = [];
  /** The folder as it was last taken over or refused, and as it was last seen. */
  #settled: string | undefined;
  #seen: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ServedPoliciesOptions) {
    this.#options = options;
  }

  /** The set that decides; undefined while there has been no good one. */
  get current(): PolicyBundle | undefined {
    return this.#current;
  }

  /** What keeps the folder's contents from being served; none where they are. */
  get problems(): readonly PolicyProblem[] {
    return this.#problems;
  }

  /** Takes the folder as it is now, and follows it. Resolves after the first try, good or not. */
  async follow(): Promise<void> {
    const contents = await readPolicyFolder(this.#options.folder);
    this.#seen = contents.signature;
    this.#looking = this.#take(contents);
    await this.#looking;
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().finally(() => this.#schedule());
    }, this.#options.everyMs ?? 500).unref();
  }

  async #look(): Promise<void> {
    const contents = await readPolicyFolder(this.#options.folder);
    const stoodStill = contents.signature === this.#seen;
    this.#seen = contents.signature;
    if (stoodStill && contents.signature !== this.#settled) await this.#take(contents);
  }

  async #take(contents: FolderContents): Promise<void> {
    const { log, records } = this.#options;
    const serving = this.#current?.version;
    try {
      const loaded = contents.kind === "read" ? loadBundle(contents.files) : ({ kind: "refused", problems: contents.problems } as const);
      if (loaded.kind === "refused") {
        this.#problems = loaded.problems;
        this.#settled = contents.signature;
        log.error({ serving, problems: loaded.problems.slice(0, 20).map(problemText) }, "policies refused; the last good set stays");
        await records.refused(loaded.problems, serving);
        return;
      }
      await this.#serve(loaded.bundle);
      this.#settled = contents.signature;
    } catch (error) {
      // Not settled: the next look tries again.
      log.error({ err: error, serving }, "policies could not be taken over; trying again");
      this.#problems = [{ file: ".", line: 1, column: 1, message: error instanceof Error ? error.message : String(error) }];
    }
  }

  async #serve(bundle: PolicyBundle): Promise<void> {
    const { log, records, catalogue } = this.#options;
    const previous = this.#current;
    this.#problems = [];
    if (bundle.version === previous?.version) return bundle.engine.release();
    try {
      await records.loaded(bundle, previous?.version);
    } catch (error) {
      bundle.engine.release();
      throw error;
    }
    this.#current = bundle;
    previous?.engine.release();
    log.info({ version: bundle.version, policies: bundle.policies.length, previous: previous?.version }, "policies loaded");
    const unknown = catalogue === undefined ? [] : warnOfUnknown(bundle, catalogue);
    for (const warning of [...bundle.warnings, ...unknown]) log.warn({ version: bundle.version }, problemText(warning));
  }
}
