import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { unavailable } from "../unavailable.ts";
import { schema, statements } from "./schema.ts";

type Statements = { readonly [name in keyof typeof statements]: StatementSync };

/**
 * One connection to `state.db`. SQLite answers in this thread; while another process writes, callers wait outside of it,
 * so that the event loop goes on (SQLite's own busy handler would sleep in it).
 */
export class Database {
  readonly #path: string;
  readonly #timeoutMs: number;
  #database: DatabaseSync | undefined;
  #statements: Statements | undefined;
  #inode = 0n;
  #closed = false;

  constructor(dataDir: string, timeoutMs: number) {
    this.#path = join(dataDir, "state.db");
    this.#timeoutMs = timeoutMs;
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  }

  /** Runs `work` in one transaction, all or nothing, on disk when this resolves. */
  async transaction<T>(kind: "read" | "write", work: (statements: Statements) => T): Promise<T> {
    const until = performance.now() + this.#timeoutMs;
    for (let attempt = 0; ; attempt++) {
      if (this.#closed) throw unavailable("closed");
      try {
        return this.#once(kind, work);
      } catch (error) {
        if (!isSqlite(error)) throw error;
        if (!isBusy(error)) {
          this.#drop();
          throw unavailable("unreachable", error);
        }
        if (performance.now() >= until) throw unavailable("late", error);
        await delay(Math.min(1 + Math.random() * 2 ** attempt, 20));
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #once<T>(kind: "read" | "write", work: (statements: Statements) => T): T {
    const database = this.#open();
    const prepared = this.#statements as Statements;
    database.exec(kind === "write" ? "BEGIN IMMEDIATE" : "BEGIN");
    try {
      const result = work(prepared);
      database.exec("COMMIT");
      return result;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }

  /** A file that was taken away or replaced would go on answering through its open descriptor; so the path is looked at. */
  #open(): DatabaseSync {
    if (this.#database !== undefined && inodeOf(this.#path) === this.#inode) return this.#database;
    this.#drop();
    try {
      closeSync(openSync(this.#path, "a", 0o600));
      chmodSync(this.#path, 0o600);
    } catch (error) {
      throw unavailable("unreachable", error);
    }
    this.#inode = inodeOf(this.#path);
    const database = new DatabaseSync(this.#path, { timeout: 0 });
    try {
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF");
      database.exec(schema);
      this.#statements = prepareAll(database);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    return database;
  }

  #drop(): void {
    this.#statements = undefined;
    try {
      this.#database?.close();
    } catch {
      // A database that cannot even be closed is left to the garbage collector; the next call opens another.
    }
    this.#database = undefined;
  }
}

function prepareAll(database: DatabaseSync): Statements {
  return Object.fromEntries(Object.entries(statements).map(([name, sql]) => [name, database.prepare(sql)])) as Statements;
}

function inodeOf(path: string): bigint {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? -1n;
}

const isSqlite = (error: unknown): error is Error & { errcode: number } => (error as { code?: string }).code === "ERR_SQLITE_ERROR";
/** SQLITE_BUSY (5) and SQLITE_LOCKED (6), with their extended codes. */
const isBusy = (error: { errcode: number }): boolean => (error.errcode & 0xff) === 5 || (error.errcode & 0xff) === 6;
