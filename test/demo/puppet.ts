import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { printed } from "./process.ts";
import type { Command, Reply } from "./protocol.ts";

export type Outcome = { ok: true; result: unknown } | { ok: false; reason: string; sentence: string; metadata: Record<string, string> };

/** The release agent's process, and through it every agent below: the story tells them what to do and hears what came of it. */
export class Puppets {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { reply: (reply: Reply) => void; event: (() => void) | undefined }>();
  readonly #ready = Promise.withResolvers<{ ready: string; sessionId: string }>();
  #onThumbprint: (thumbprint: string) => void = () => {};
  #next = 1;

  /** The first agent signs in as its workload. @param signIn what its platform hands over: goes to the process's standard input and nowhere else */
  static signingIn(signIn: object): Puppets {
    const puppets = new Puppets(["root"]);
    puppets.#child.stdin?.write(`${JSON.stringify(signIn)}\n`);
    return puppets;
  }

  /** The first agent is nested itself. @param handOver gives its parent's line for the key that the process has made */
  static enrolling(handOver: (thumbprint: string) => Promise<string>): Puppets {
    const puppets = new Puppets([]);
    puppets.#onThumbprint = (thumbprint) => {
      handOver(thumbprint).then((line) => puppets.#child.stdin?.write(`${line}\n`), puppets.#ready.reject);
    };
    return puppets;
  }

  private constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [new URL("agent.ts", import.meta.url).pathname, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr?.setEncoding("utf8").on("data", (text) => printed.push(text));
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => this.#hear(line));
    this.#child.on("exit", (code) => this.#ready.reject(new Error(`the release agent ended with ${code}: ${printed.slice(-3).join("")}`)));
    process.on("exit", () => this.#child.kill("SIGKILL"));
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  ready(): Promise<{ ready: string; sessionId: string }> {
    return this.#ready.promise;
  }

  /** @param onEvent told when the agent says that something has begun */
  tell(to: readonly string[], action: string, args: object = {}, onEvent?: () => void): Promise<Outcome> {
    const id = this.#next++;
    const answered = new Promise<Reply>((reply) => this.#waiting.set(id, { reply, event: onEvent }));
    const command: Command = { id, to, action, args };
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    return answered.then((reply) => (reply.refusal === undefined ? { ok: true, result: reply.result } : { ok: false, ...reply.refusal }));
  }

  stop(): void {
    this.#child.removeAllListeners("exit");
    this.#child.kill();
  }

  #hear(line: string): void {
    const [, thumbprint] = /^sallyport-thumbprint:(.+)$/.exec(line) ?? [];
    if (thumbprint !== undefined) return this.#onThumbprint(thumbprint.trim());
    const reply = JSON.parse(line) as Reply;
    // A stolen token is this story's own prop; it is not part of what Sallyport printed.
    printed.push(line);
    if (reply.id === 0) return this.#ready.resolve(reply.result as { ready: string; sessionId: string });
    const waiting = this.#waiting.get(reply.id);
    if (reply.event !== undefined) return waiting?.event?.();
    this.#waiting.delete(reply.id);
    waiting?.reply(reply);
  }
}
