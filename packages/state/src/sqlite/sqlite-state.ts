import { randomBytes } from "node:crypto";
import { checkId, checkLimit, checkListed, checkMembers, checkName, checkTtl, checkValue, checkWhole } from "../arguments.ts";
import type { Entry, State, StateMark, WriteOptions } from "../state.ts";
import { unavailable } from "../unavailable.ts";
import { Watermark } from "../watermark.ts";
import { Database } from "./database.ts";

type Work = Parameters<Database["transaction"]>[1];
type Statements = Parameters<Work>[0];

const defaultTimeoutMs = 1000;
const sweepEvery = 1000;

/** The state in one SQLite file, `state.db` in the data folder (mode 0600); several processes may share it. */
export class SqliteState implements State {
  readonly #database: Database;
  readonly #clock: { now(): number };
  readonly #watermark = new Watermark();
  #writes = 0;

  private constructor(database: Database, clock: { now(): number }) {
    this.#database = database;
    this.#clock = clock;
  }

  /** @throws Refusal STATE_UNAVAILABLE where the file cannot be opened */
  static async open(options: { dataDir: string; clock: { now(): number }; timeoutMs?: number }): Promise<SqliteState> {
    const state = new SqliteState(new Database(options.dataDir, options.timeoutMs ?? defaultTimeoutMs), options.clock);
    await state.mark();
    return state;
  }

  async get(collection: string, id: string): Promise<Entry | undefined> {
    checkName(collection);
    checkId(id);
    return this.#read((sql) => entryOf(sql.get.get(collection, id, this.#clock.now())));
  }

  async create(collection: string, id: string, value: string, options: WriteOptions = {}): Promise<boolean> {
    checkEntry(collection, id, value, options);
    return this.#write((sql) => {
      const now = this.#clock.now();
      if (sql.get.get(collection, id, now) !== undefined) return false;
      sql.put.run(collection, id, value, this.#tick(sql), expiry(now, options));
      return true;
    });
  }

  async replace(collection: string, id: string, expectedVersion: number, value: string, options: WriteOptions = {}): Promise<boolean> {
    checkEntry(collection, id, value, options);
    return this.#write((sql) => {
      const now = this.#clock.now();
      if (entryOf(sql.get.get(collection, id, now))?.version !== expectedVersion) return false;
      sql.put.run(collection, id, value, this.#tick(sql), expiry(now, options));
      return true;
    });
  }

  async delete(collection: string, id: string): Promise<boolean> {
    checkName(collection);
    checkId(id);
    return this.#write((sql) => {
      const deleted = sql.delete.run(collection, id, this.#clock.now()).changes > 0;
      if (deleted) this.#tick(sql);
      return deleted;
    });
  }

  async list(collection: string, options: { after?: string; limit: number }): Promise<{ id: string; entry: Entry }[]> {
    checkListed(collection);
    checkLimit(options.limit);
    return this.#read((sql) =>
      sql.list.all(collection, options.after ?? "", this.#clock.now(), options.limit).map((row) => ({
        id: row.id as string,
        entry: entryOf(row) as Entry,
      })),
    );
  }

  async join(set: string, member: string, ttlMs: number): Promise<number> {
    checkId(set);
    checkId(member);
    checkTtl(ttlMs);
    return this.#write((sql) => {
      const now = this.#clock.now();
      sql.put.run(setOf(set), member, "", this.#tick(sql), now + ttlMs);
      return Number(sql.count.get(setOf(set), now)?.count);
    });
  }

  async leave(set: string, member: string): Promise<void> {
    checkId(set);
    checkId(member);
    await this.#write((sql) => {
      if (sql.delete.run(setOf(set), member, this.#clock.now()).changes > 0) this.#tick(sql);
    });
  }

  async members(set: string, limit: number): Promise<string[]> {
    checkId(set);
    checkMembers(limit);
    return this.#read((sql) => sql.list.all(setOf(set), "", this.#clock.now(), limit).map((row) => row.id as string));
  }

  async append(log: string, value: string): Promise<number> {
    checkName(log);
    checkValue(value);
    return this.#write((sql) => {
      const sequence = Number(sql.lastSequence.get(log)?.last ?? 0) + 1;
      sql.append.run(log, sequence, value);
      this.#tick(sql);
      return sequence;
    });
  }

  async readLog(log: string, after: number, limit: number): Promise<{ sequence: number; value: string }[]> {
    checkName(log);
    checkWhole(after, "The sequence number to read after");
    checkLimit(limit);
    return this.#read((sql) =>
      sql.readLog.all(log, after, limit).map((row) => ({ sequence: row.sequence as number, value: row.value as string })),
    );
  }

  async trimLog(log: string, through: number): Promise<void> {
    checkName(log);
    checkWhole(through, "The last sequence number to forget");
    await this.#write((sql) => {
      if (sql.trimLog.run(log, through, log).changes > 0) this.#tick(sql);
    });
  }

  async increment(counter: string, by: number, ttlMs: number): Promise<number> {
    checkId(counter);
    checkWhole(by, "An increment");
    checkTtl(ttlMs);
    return this.#write((sql) => {
      const now = this.#clock.now();
      const row = sql.increment.get(counter, by, now + ttlMs, now);
      this.#tick(sql);
      return row?.sum as number;
    });
  }

  async now(): Promise<number> {
    return this.#clock.now();
  }

  async mark(): Promise<StateMark> {
    const { generation, epoch, tick } = await this.#database.transaction("read", markOf);
    return { generation, epoch, tick };
  }

  useGeneration(generation: string, seenTick?: number): void {
    this.#watermark.use(generation, seenTick);
  }

  async startGeneration(epoch: number): Promise<StateMark> {
    checkWhole(epoch, "An epoch");
    const mark = await this.#database.transaction("write", (sql) => {
      if (epoch <= markOf(sql).epoch) throw unavailable("epoch-taken");
      sql.setMark.run(randomBytes(16).toString("base64url"), epoch);
      for (const wipe of [sql.wipeEntries, sql.wipeLogs, sql.wipeCounters]) wipe.run();
      return markOf(sql);
    });
    this.#watermark.use(mark.generation, mark.tick);
    return { generation: mark.generation, epoch, tick: mark.tick };
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #read<T>(work: (sql: Statements) => T): Promise<T> {
    return this.#checked("read", work);
  }

  #write<T>(work: (sql: Statements) => T): Promise<T> {
    return this.#checked("write", (sql) => {
      if (this.#writes++ % sweepEvery === 0) {
        sql.sweepEntries.run(this.#clock.now());
        sql.sweepCounters.run(this.#clock.now());
      }
      return work(sql);
    });
  }

  async #checked<T>(kind: "read" | "write", work: (sql: Statements) => T): Promise<T> {
    const generation = this.#watermark.generation;
    const done = await this.#database.transaction(kind, (sql) => {
      const before = markOf(sql);
      if (before.generation !== generation) throw unavailable("other-generation");
      if (before.behind || before.tick < this.#watermark.tick) return undefined;
      const result = work(sql);
      return { result, tick: kind === "read" ? before.tick : markOf(sql).tick };
    });
    if (done === undefined) {
      await this.#database.transaction("write", (sql) => sql.setBehind.run(generation)); // so that it refuses to everybody
      throw unavailable("behind");
    }
    this.#watermark.saw(generation, done.tick);
    return done.result;
  }

  /** Counts one write; its number is also the written entry's version. */
  #tick(sql: Statements): number {
    return sql.tick.get()?.tick as number;
  }
}

/** A set is kept as a collection of a name that no collection can have. */
const setOf = (set: string) => `set ${set}`;

function checkEntry(collection: string, id: string, value: string, options: WriteOptions): void {
  checkName(collection);
  checkId(id);
  checkValue(value);
  checkTtl(options.ttlMs);
}

function markOf(sql: Statements): StateMark & { behind: boolean } {
  const row = sql.mark.get();
  if (row === undefined) return { generation: "", epoch: 0, tick: 0, behind: false };
  return { generation: row.generation as string, epoch: row.epoch as number, tick: row.tick as number, behind: row.behind !== 0 };
}

function entryOf(row: Record<string, unknown> | undefined): Entry | undefined {
  return row === undefined ? undefined : { value: row.value as string, version: row.version as number };
}

const expiry = (now: number, options: WriteOptions): number | null => (options.ttlMs === undefined ? null : now + options.ttlMs);
