import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Check } from "./checks.ts";

/** The repository. */
export const root = join(import.meta.dirname, "../..");

const timeoutMs = 400_000;

/** Runs a program of `node_modules/.bin`; throws with its output where it fails. */
export async function runTool(name: string, args: string[]): Promise<string> {
  const PATH = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
  try {
    const { stdout } = await promisify(execFile)(name, args, {
      cwd: root,
      env: { ...process.env, PATH, NO_COLOR: "1" },
      timeout: timeoutMs,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "", message, killed } = error as Error & { stdout?: string; stderr?: string; killed?: boolean };
    throw new Error(killed ? `${name} did not end in ${timeoutMs / 1000} s` : `${stdout}${stderr}`.trim() || message, { cause: error });
  }
}

/** A check that is right where a program ends well. */
export const command =
  (name: string, args: string[]): Check =>
  async () => {
    await runTool(name, args);
    return [];
  };
