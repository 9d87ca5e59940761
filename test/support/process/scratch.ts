import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tellReaper } from "./reaper.ts";

/** A new folder that goes when the process ends, or sooner with {@link removeScratch}. */
export function scratchFolder(name = "test"): string {
  const folder = mkdtempSync(join(tmpdir(), `sallyport-${name}-`));
  tellReaper("folder", folder);
  return folder;
}

export function removeScratch(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  tellReaper("removed", folder);
}
