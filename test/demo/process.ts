import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";

export const cli = new URL("../../packages/cli/bin/sallyport.mjs", import.meta.url).pathname;

/** Everything that any process of the demo printed; searched for the canary at the end. */
export const printed: string[] = [];

/** Service processes, which end with this one. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Whoever runs this may have a keyring of their own, and colours in their terminal. */
export const plain = { NO_COLOR: "1", SALLYPORT_KEEP: "file" };

export interface RunOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with all that it has said of itself so far. */
  readonly onStderr?: (text: string) => void;
}

/** Runs the command line to its end, as a person would type it. */
export async function sallyport(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: "pipe", env: { ...process.env, ...plain, ...options.env } });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
    options.onStderr?.(stderr);
  });
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  printed.push(stdout, stderr);
  return { code, stdout, stderr };
}

/** The same, where anything but success ends the demo. */
export async function mustRun(args: readonly string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}): Promise<string> {
  const ran = await sallyport(args, options);
  if (ran.code !== 0) throw new Error(`sallyport ${args.join(" ")} ended with ${ran.code}: ${ran.stderr}${ran.stdout}`);
  return ran.stdout;
}

/** Starts a service process whose output goes to a file. @param env beyond this process's own */
export function startProcess(
  args: readonly string[],
  logFile: string,
  env: NodeJS.ProcessEnv = {},
): { child: ChildProcess; exited: Promise<number | null>; stop(): Promise<void> } {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = createWriteStream(logFile, { flags: "a" });
  const child = spawn(process.execPath, [cli, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const exited = new Promise<number | null>((resolve) => child.on("close", resolve));
  running.add(child);
  child.on("close", () => running.delete(child));
  return {
    child,
    exited,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
