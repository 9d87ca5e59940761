import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";

/** A file system of its own that can be filled to the last byte. */
export interface SmallDisk {
  readonly folder: string;
  fill(): void;
  /** Gives the room back. */
  free(): void;
  unmount(): void;
}

/** Why none can be mounted here; undefined where one can. */
export const noSmallDisk: string | undefined = process.getuid?.() === 0 ? mountFails() : "mounting a small file system needs root";

/** @param folder made where it is missing */
export function smallDisk(folder: string, megabytes: number): SmallDisk {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0700`, "tmpfs", folder], { stdio: "pipe" });
  const ballast = join(folder, "ballast");
  return {
    folder,
    fill: () => {
      for (const size of [1024 * 1024, 4096, 1]) while (appended(ballast, size));
    },
    free: () => rmSync(ballast, { force: true }),
    // Lazily, so that a process that is still ending does not keep the tests from ending.
    unmount: () => void execFileSync("umount", ["-l", folder], { stdio: "pipe" }),
  };
}

function appended(file: string, bytes: number): boolean {
  try {
    appendFileSync(file, Buffer.alloc(bytes));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}

function mountFails(): string | undefined {
  const folder = scratchFolder("mount");
  try {
    smallDisk(folder, 1).unmount();
    return undefined;
  } catch {
    return "this machine does not let even root mount a small file system";
  } finally {
    removeScratch(folder);
  }
}
