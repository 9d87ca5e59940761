import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";

/** Milliseconds after which a lock was left behind by a process that died. */
const staleMs = 60_000;
const tryEveryMs = 100;

/** Runs something while no other process does so under this path. @throws Refusal CANCELLED where the other takes too long */
export async function withLock<T>(path: string, run: () => Promise<T>): Promise<T> {
  for (let waited = 0; !taken(path); waited += tryEveryMs) {
    if (waited > staleMs) throw new Refusal("CANCELLED", "Another sallyport command is at this file, and takes long: try again.");
    await sleep(tryEveryMs);
  }
  try {
    return await run();
  } finally {
    release(path);
  }
}

/** A folder is made by one process alone, on every file system. */
function taken(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && Date.now() - since > staleMs) release(path);
    return false;
  }
}

function release(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Gone already: somebody found it stale.
  }
}
