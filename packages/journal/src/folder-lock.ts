import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * The right to be the only writer of a folder. Held by the operating system's file lock through SQLite, so it ends with the
 * process however that dies, and nothing stale is left to clean up.
 */
export class FolderLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Takes the lock at once, making the folder where needed; undefined where another writer holds it. */
  static take(dir: string): FolderLock | undefined {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(join(dir, "lock"), { timeout: 0 });
    try {
      database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
      return new FolderLock(database);
    } catch (error) {
      database.close();
      if (isBusy(error)) return undefined;
      throw error;
    }
  }

  release(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

const isBusy = (error: unknown): boolean => {
  const code = (error as { errcode?: number }).errcode ?? 0;
  return (code & 0xff) === 5 || (code & 0xff) === 6; // SQLITE_BUSY, SQLITE_LOCKED
};
