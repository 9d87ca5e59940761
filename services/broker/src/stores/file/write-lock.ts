import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

const waitMs = 5_000;
const pauseMs = 10;

/**
 * Runs while nobody else does, over all processes of this machine. The lock is the operating system's, held through SQLite, so it
 * ends with its holder however that dies. Tries again rather than wait inside SQLite, which would hold up the whole process,
 * the lock's holder perhaps included.
 *
 * @throws Error where the lock is not had within 5 s
 */
export async function withWriteLock<T>(path: string, run: () => Promise<T>): Promise<T> {
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    const until = performance.now() + waitMs;
    while (!taken(lock)) {
      if (performance.now() > until) throw new Error("the lock is held by another write");
      await sleep(pauseMs);
    }
    return await run();
  } finally {
    lock.close();
  }
}

function taken(lock: DatabaseSync): boolean {
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
    if (code === 5 || code === 6) return false; // SQLITE_BUSY, SQLITE_LOCKED
    throw error;
  }
}
