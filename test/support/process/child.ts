import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { tellReaper } from "./reaper.ts";

const keepOutput = 64 * 1024;

/** A process of the tests: it dies with them, and the last of what it printed can be read. */
export class Child {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = "";

  private constructor(process: ChildProcess) {
    this.#process = process;
    this.#ended = once(process, "exit").then(() => tellReaper("ended", process.pid as number));
    for (const stream of [process.stdout, process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-keepOutput);
      });
    }
  }

  static async start(command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Child> {
    const started = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    await once(started, "spawn");
    tellReaper("process", started.pid as number);
    hold(started, false);
    return new Child(started);
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The last 64 KiB of both of its outputs. */
  get output(): string {
    return this.#output;
  }

  /** Its exit code, or undefined where a signal ended it. */
  async exit(): Promise<number | undefined> {
    await this.#waited();
    return this.#process.exitCode ?? undefined;
  }

  /** Returns once every thread stands still: a signal takes a moment, in which another core may serve one more request. */
  pause(): void {
    this.#process.kill("SIGSTOP");
    const until = performance.now() + 1_000;
    while (!isStopped(this.#process.pid) && performance.now() < until);
  }

  resume(): void {
    this.#process.kill("SIGCONT");
  }

  /** SIGTERM, and SIGKILL after `patienceMs`. */
  async stop(patienceMs = 5000): Promise<void> {
    if (!this.running) return;
    this.#process.kill("SIGCONT");
    this.#process.kill("SIGTERM");
    await Promise.race([this.#waited(), delay(patienceMs, undefined, { ref: false })]);
    await this.kill();
  }

  async kill(): Promise<void> {
    if (!this.running) return;
    this.#process.kill("SIGKILL");
    await this.#waited();
  }

  #waited(): Promise<unknown> {
    if (this.running) hold(this.#process, true);
    return this.#ended;
  }
}

/** Whether this process goes on for the child's sake: only while it waits for its end. A server that all tests share must not keep them from ending. */
function hold(child: ChildProcess, held: boolean): void {
  const verb = held ? "ref" : "unref";
  child[verb]();
  for (const stream of [child.stdout, child.stderr]) (stream as unknown as { ref(): void; unref(): void } | null)?.[verb]();
}

/** Whether each of a process's threads is stopped (proc(5): state `T`); true where that cannot be told. */
function isStopped(pid: number | undefined): boolean {
  try {
    const tasks = `/proc/${pid}/task`;
    return readdirSync(tasks).every((task) => / T /.test(readFileSync(`${tasks}/${task}/stat`, "utf8").replace(/^.*\)/s, "")));
  } catch {
    return true;
  }
}
