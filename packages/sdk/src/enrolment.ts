import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { printable, Refusal } from "@sallyport/contracts";
import { type Delegation, delegate } from "./delegate.ts";
import { firstLine } from "./first-line.ts";
import type { Session } from "./session.ts";

export interface SpawnOptions {
  /** The child's environment; this process's own unless given. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Milliseconds that the child has to tell its key; 30,000 unless said. */
  readonly enrolMs?: number;
}

const thumbprintPrefix = "sallyport-thumbprint:";

/** The child's half: its key's thumbprint goes out, the parent's handover comes in. */
export function enrol(thumbprint: string, input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<string> {
  output.write(`${thumbprintPrefix}${thumbprint}\n`);
  return firstLine(input as Readable, "");
}

/** The parent's half, with the process that it starts. A child that does not enrol is ended. */
export async function spawnChild(
  session: Session,
  command: string,
  args: readonly string[],
  { name, ceiling, env = process.env, cwd, enrolMs = 30_000 }: Delegation & SpawnOptions,
): Promise<{ child: ChildProcess; sessionId: string }> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env, ...(cwd === undefined ? {} : { cwd }) });
  const failed = new AbortController();
  child.once("error", (cause) => failed.abort(notStarted(command, cause)));
  // A child that is gone already takes no handover; that it is gone is told by its end, not by this.
  child.stdin.on("error", () => {});
  const late = setTimeout(() => failed.abort(tooLate(command)), enrolMs);
  try {
    const line = await firstLine(child.stdout, thumbprintPrefix, failed.signal);
    const { handover, sessionId } = await delegate(session, { name, ceiling, thumbprint: line.slice(thumbprintPrefix.length).trim() });
    child.stdin.write(`${handover}\n`);
    return { child, sessionId };
  } catch (error) {
    child.kill();
    throw failed.signal.aborted ? failed.signal.reason : error;
  } finally {
    clearTimeout(late);
  }
}

const notStarted = (command: string, cause: Error) =>
  new Refusal("INVALID_REQUEST", `"${printable(command)}" could not be started: ${printable(cause.message)}.`, { cause });

const tooLate = (command: string) =>
  new Refusal("TICKET_INVALID", `"${printable(command)}" told no key in time; a nested agent begins with Agent.enrol().`);
