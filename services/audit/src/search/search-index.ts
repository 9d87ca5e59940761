import { rmSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import { Frontier, leafHash, placeOf } from "@sallyport/evidence";
import { chainStart, chainValue } from "@sallyport/journal";
import type { Position } from "../journals/positions.ts";
import type { EvidenceLog } from "../log/evidence-log.ts";
import { factsOf, type RecordFacts } from "./record-facts.ts";

/** What is looked for; all that is given must hold. */
export interface Search {
  readonly sid?: string | undefined;
  readonly linkId?: string | undefined;
  readonly secret?: string | undefined;
  readonly target?: string | undefined;
  readonly uid?: string | undefined;
  /** Epoch milliseconds, this one included. */
  readonly since?: number | undefined;
  /** Epoch milliseconds, this one not included. */
  readonly until?: number | undefined;
}

/** Milliseconds after which a write that failed is tried again. */
const retryMs = 500;

/** Milliseconds that records wait for others to be indexed with, where nobody searches. */
const gatherMs = 250;
/** Records that wait for no others. */
const gatherRecords = 1000;

/** Changes with the tables: an index of another one is begun anew. */
const version = 2;
/** Chains whose number is remembered: a chain's records come in runs. */
const maxKnownChains = 4096;

const schema = `
  CREATE TABLE IF NOT EXISTS state (origin TEXT NOT NULL, size INTEGER NOT NULL, last_leaf BLOB);
  CREATE TABLE IF NOT EXISTS journals (id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, chain BLOB NOT NULL, log_index INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS subtrees (segment INTEGER PRIMARY KEY, root BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS chains (id INTEGER PRIMARY KEY, links TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS links (link TEXT NOT NULL, sid TEXT NOT NULL, chain INTEGER NOT NULL, PRIMARY KEY (link, sid, chain)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS links_sid ON links (sid);
  CREATE TABLE IF NOT EXISTS records (log_index INTEGER PRIMARY KEY, uid TEXT NOT NULL, time INTEGER NOT NULL, chain INTEGER, secret TEXT, target TEXT);
  CREATE INDEX IF NOT EXISTS records_uid ON records (uid);
  CREATE INDEX IF NOT EXISTS records_chain ON records (chain) WHERE chain IS NOT NULL;
  CREATE INDEX IF NOT EXISTS records_secret ON records (secret) WHERE secret IS NOT NULL;
  CREATE INDEX IF NOT EXISTS records_target ON records (target) WHERE target IS NOT NULL;
  PRAGMA user_version = ${version};
`;

/**
 * What records can be found by, in SQLite. Nothing in it is evidence: it is rebuilt from the log where it is missing, behind,
 * or of another log, and may be deleted at any time.
 */
export class SearchIndex {
  readonly #database: DatabaseSync;
  readonly #statements: Record<"record" | "chain" | "newChain" | "link" | "journal" | "state" | "subtree", StatementSync>;
  #positions = new Map<string, Position>();
  #failure: unknown;
  #log: EvidenceLog | undefined;
  #size = 0;
  #running: Promise<void> | undefined;
  #grown = Promise.withResolvers<void>();
  /** Numbers of the chains that were met last. */
  #chains = new Map<string, number>();
  /** How many search, and told when one begins to. */
  #searching = 0;
  #hurry = () => {};
  readonly #stopped = new AbortController();

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = {
      record: database.prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)"),
      chain: database.prepare("SELECT id FROM chains WHERE links = ?"),
      newChain: database.prepare("INSERT INTO chains (links) VALUES (?) RETURNING id"),
      link: database.prepare("INSERT OR REPLACE INTO links VALUES (?, ?, ?)"),
      journal: database.prepare("INSERT OR REPLACE INTO journals VALUES (?, ?, ?, ?)"),
      state: database.prepare("UPDATE state SET size = ?, last_leaf = ?"),
      subtree: database.prepare("INSERT OR REPLACE INTO subtrees VALUES (?, ?)"),
    };
  }

  /** Opens the file; one that SQLite cannot read is begun anew. */
  static open(path: string): SearchIndex {
    try {
      return new SearchIndex(prepared(path));
    } catch {
      for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
      return new SearchIndex(prepared(path));
    }
  }

  /** The root of a full segment, where it is known: what a log may start faster with. */
  subtree(segment: number): Buffer | undefined {
    const row = this.#database.prepare("SELECT root FROM subtrees WHERE segment = ?").get(segment) as { root: Uint8Array } | undefined;
    return row === undefined ? undefined : Buffer.from(row.root);
  }

  /** Catches up with the log and then follows it. @returns what the log holds of each journal */
  async follow(log: EvidenceLog): Promise<Map<string, Position>> {
    this.#log = log;
    this.#resume(log);
    while (this.#size < log.size) {
      this.#take(log);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const positions = new Map(this.#positions);
    this.#running = this.#run(log);
    return positions;
  }

  /** Indexes of matching records from one on, oldest first. Everything that is in the log when it is called is looked at. */
  async find(search: Search, from: number, limit: number): Promise<number[]> {
    this.#searching++;
    this.#hurry();
    try {
      await this.#caughtUp(this.#log?.size ?? 0);
    } finally {
      this.#searching--;
    }
    const conditions: [string, string | number][] = [["r.log_index >= ?", from]];
    const also = (sql: string, value: string | number | undefined) => value !== undefined && conditions.push([sql, value]);
    also("r.uid = ?", search.uid);
    also("r.secret = ?", search.secret);
    also("r.target = ?", search.target);
    also("r.time >= ?", search.since);
    also("r.time < ?", search.until);
    also("r.chain IN (SELECT chain FROM links WHERE sid = ?)", search.sid);
    also("r.chain IN (SELECT chain FROM links WHERE link = ?)", search.linkId);
    const where = conditions.map(([sql]) => sql).join(" AND ");
    const rows = this.#database
      .prepare(`SELECT r.log_index AS at FROM records r WHERE ${where} ORDER BY r.log_index LIMIT ?`)
      .all(...conditions.map(([, value]) => value), limit) as { at: number }[];
    return rows.map(({ at }) => at);
  }

  async #caughtUp(size: number): Promise<void> {
    while (this.#size < size) {
      if (this.#failure !== undefined || this.#stopped.signal.aborted) {
        throw new Refusal("AUDIT_UNAVAILABLE", "The index of the evidence log does not keep up; look at the audit service's disk.", {
          cause: this.#failure,
          retryAfterMs: retryMs,
        });
      }
      await this.#grown.promise;
    }
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    this.#grown.resolve();
    this.#database.close();
  }

  /** Goes on where it was, or from the start where it is not this log's. */
  #resume(log: EvidenceLog): void {
    const state = this.#database.prepare("SELECT origin, size, last_leaf FROM state").get() as
      | { origin: string; size: number; last_leaf: Uint8Array | null }
      | undefined;
    const fits =
      state !== undefined &&
      state.origin === log.origin &&
      state.size <= log.size &&
      (state.size === 0 || Buffer.compare(leafHash(log.read(state.size - 1, 1)[0] as Buffer), state.last_leaf ?? Buffer.alloc(0)) === 0);
    if (!fits) {
      this.#database.exec(
        "DELETE FROM state; DELETE FROM journals; DELETE FROM subtrees; DELETE FROM records; DELETE FROM links; DELETE FROM chains",
      );
      this.#database.prepare("INSERT INTO state VALUES (?, 0, NULL)").run(log.origin);
    }
    this.#size = fits ? state.size : 0;
    const journals = this.#database.prepare("SELECT id, sequence, chain, log_index FROM journals");
    journals.setReadBigInts(true);
    for (const row of journals.all() as { id: string; sequence: bigint; chain: Uint8Array; log_index: bigint }[]) {
      this.#positions.set(row.id, { sequence: row.sequence, chain: row.chain, index: Number(row.log_index) });
    }
  }

  async #run(log: EvidenceLog): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await log.waitForMore(this.#size, signal);
      if (signal.aborted || log.size === this.#size) return;
      await this.#gather(log.size, signal);
      if (signal.aborted) return;
      try {
        this.#take(log);
        this.#failure = undefined;
        // Records come in bursts, and whoever waits for an answer in this process goes first.
        await new Promise((resolve) => setImmediate(resolve));
      } catch (error) {
        this.#failure = error;
        this.#tell();
        await sleep(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** A transaction costs much the same for one record and for a hundred. */
  async #gather(size: number, signal: AbortSignal): Promise<void> {
    if (this.#searching > 0 || this.#failure !== undefined || size - this.#size >= gatherRecords) return;
    const hurried = new AbortController();
    this.#hurry = () => hurried.abort();
    await sleep(gatherMs, undefined, { signal: AbortSignal.any([hurried.signal, signal]), ref: false }).catch(() => {});
  }

  #tell(): void {
    this.#grown.resolve();
    this.#grown = Promise.withResolvers<void>();
  }

  #take(log: EvidenceLog): void {
    const records = log.read(this.#size, 128 * 1024);
    const before = new Map(this.#positions);
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const [at, record] of records.entries()) this.#add(record, this.#size + at);
      for (const [id, { sequence, chain, index }] of this.#positions) {
        if (index >= this.#size) this.#statements.journal.run(id, sequence, chain, index);
      }
      const size = this.#size + records.length;
      this.#subtrees(log, size);
      this.#statements.state.run(size, leafHash(records.at(-1) as Buffer));
      this.#database.exec("COMMIT");
      this.#size = size;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      this.#positions = before;
      this.#chains.clear();
      throw error;
    }
    this.#tell();
  }

  #add(record: Buffer, index: number): void {
    const place = placeOf(record);
    if (place !== undefined) {
      const chain = chainValue(this.#positions.get(place.journal)?.chain ?? chainStart, place.sequence, record);
      this.#positions.set(place.journal, { sequence: place.sequence, chain, index });
    }
    const facts = factsOf(record);
    this.#statements.record.run(index, facts.uid, facts.time, this.#chainOf(facts), facts.secret ?? null, facts.target ?? null);
  }

  /** The number of a chain, which stands for all of its links. */
  #chainOf({ links }: RecordFacts): number | null {
    if (links.length === 0) return null;
    const text = JSON.stringify(links.map(({ id, sid }) => [id, sid]));
    const known = this.#chains.get(text) ?? (this.#statements.chain.get(text)?.id as number | undefined);
    const chain = known ?? (this.#statements.newChain.get(text)?.id as number);
    if (known === undefined) for (const { id, sid } of links) this.#statements.link.run(id, sid, chain);
    if (this.#chains.size >= maxKnownChains) this.#chains.delete(this.#chains.keys().next().value as string);
    this.#chains.set(text, chain);
    return chain;
  }

  #subtrees(log: EvidenceLog, size: number): void {
    const segment = Math.floor(size / log.recordsPerSegment) - 1;
    if (segment < 0 || Math.floor(this.#size / log.recordsPerSegment) > segment) return;
    const tree = new Frontier();
    for (const leaf of log.leavesOf(segment)) tree.add(leaf);
    this.#statements.subtree.run(segment, tree.root());
  }
}

function prepared(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    const { user_version: found } = database.prepare("PRAGMA user_version").get() as { user_version: number };
    const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get() as { count: number };
    if (tables.count > 0 && found !== version) throw new Error(`an index of version ${found}`);
    database.exec(schema);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
