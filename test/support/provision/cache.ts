import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const tries = 4;
const downloadTimeoutMs = 300_000;

/** Where downloaded servers are kept: `SALLYPORT_CACHE`, or `.cache` in the repository, which git ignores. */
export const cacheFolder = (): string => resolve(process.env.SALLYPORT_CACHE ?? join(import.meta.dirname, "../../../.cache"));

/** Only with `SALLYPORT_PROVISION=1` do the tests download what is not there. */
export const mayProvision = (): boolean => process.env.SALLYPORT_PROVISION === "1";

/** One downloaded thing; named by its version, so that a new version is another folder. */
export interface Provision {
  readonly name: string;
  /** Programs that the download needs. */
  readonly needs: readonly string[];
  fill(folder: string): Promise<void>;
}

export const provisionedFolder = ({ name }: Provision): string => join(cacheFolder(), name);
export const isProvisioned = (provision: Provision): boolean => existsSync(provisionedFolder(provision));

/** Downloads into a folder beside its place and renames it there, so that a half one is never used. */
export async function provision(wanted: Provision): Promise<string> {
  const folder = provisionedFolder(wanted);
  for (let attempt = 1; !existsSync(folder); attempt++) {
    mkdirSync(dirname(folder), { recursive: true });
    const partial = mkdtempSync(`${folder}.partial-`);
    try {
      await wanted.fill(partial);
      if (!existsSync(folder)) renameSync(partial, folder);
    } catch (error) {
      if (attempt === tries) throw new Error(`${wanted.name} cannot be downloaded: ${(error as Error).message}`, { cause: error });
      await delay(2000 * 2 ** attempt);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  return folder;
}

/** Runs a program to its end, bounded; its output is in the error where it fails. */
export async function run(command: string, args: string[], options: { cwd?: string; timeoutMs?: number } = {}): Promise<string> {
  const { timeoutMs = downloadTimeoutMs, cwd } = options;
  const { stdout } = await promisify(execFile)(command, args, {
    cwd,
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}
