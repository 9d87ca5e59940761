import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Server } from "node:net";
import { printable, Refusal } from "@sallyport/contracts";
import type { Delegation, Session } from "@sallyport/sdk";
import { BrokerDoor } from "./broker-door.ts";
import { type CertificateFiles, certificateFiles } from "./certificates.ts";
import type { Doors } from "./doors.ts";
import { environmentOf } from "./environment.ts";
import { endOf, type FromInside, forwardedSignals, type ToInside } from "./inside.ts";
import { LocalProxy } from "./local-proxy.ts";
import { startInNamespace } from "./namespace.ts";
import { ToolAgent } from "./tool-agent.ts";

export interface ToolRun {
  readonly tool: string;
  readonly args: readonly string[];
  /** The parent's. */
  readonly session: Session;
  readonly delegation: Delegation;
  readonly doors: Doors;
  readonly sharedUser: boolean;
}

/** Runs a tool as a nested agent from its first byte to its last. @returns its exit code. @throws Refusal where it cannot be started */
export async function runTool(run: ToolRun): Promise<number> {
  const agent = await ToolAgent.start(run.session, run.delegation, run.doors);
  const door = new BrokerDoor(agent, run.doors);
  let files: CertificateFiles | undefined;
  try {
    const about = await door.about();
    files = certificateFiles(about.ca, process.env);
    const environment = (proxy: string, targets: string) =>
      environmentOf(process.env, { proxy, targets, certificates: files as CertificateFiles, targetHosts: about.hosts });
    return await (run.sharedUser ? inTheOpen(run, door, environment) : inNamespace(run, door, environment));
  } finally {
    door.close();
    files?.remove();
    await agent.end();
  }
}

type Environment = (proxy: string, targets: string) => Record<string, string>;

async function inNamespace({ tool, args, doors }: ToolRun, door: BrokerDoor, environment: Environment): Promise<number> {
  const hidden = doors.dataDir === undefined ? [] : [doors.dataDir];
  const inside = startInNamespace(tool, args, hidden, process.env);
  const proxy = new LocalProxy(door);
  let failed: string | undefined;
  let ended: number | undefined;
  inside.on("message", (message: FromInside, listener) => {
    if ("port" in message) {
      proxy.server.listen(listener as Server);
      const url = `http://127.0.0.1:${message.port}`;
      inside.send({ start: environment(url, `${url}/t/`) } satisfies ToInside);
    } else if ("failed" in message) failed = message.failed;
    else ended = message.ended;
  });
  const restore = forward(forwardedSignals, (signal) => inside.connected && inside.send({ signal } satisfies ToInside));
  try {
    const code = await endOf(inside);
    if (failed !== undefined || typeof code === "string") throw notStarted(tool, failed ?? String(code));
    return ended ?? code;
  } finally {
    restore();
    proxy.close();
  }
}

/** Without a namespace, the pass in the proxy's URL keeps other users out; those of this user can read it. */
async function inTheOpen({ tool, args }: ToolRun, door: BrokerDoor, environment: Environment): Promise<number> {
  const pass = randomBytes(24).toString("base64url");
  const proxy = new LocalProxy(door, pass);
  await new Promise<void>((resolve) => proxy.server.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.server.address() as { port: number };
  const env = environment(`http://run:${pass}@127.0.0.1:${port}`, `http://run:${pass}@127.0.0.1:${port}/t/`);
  const child: ChildProcess = spawn(tool, args, { stdio: "inherit", env });
  // A terminal's reach the tool by themselves, as it is in the same group.
  const others = forwardedSignals.filter((signal) => !process.stdin.isTTY || !fromTerminal.has(signal));
  const restore = forward(others, (signal) => child.kill(signal));
  try {
    const code = await endOf(child);
    if (typeof code === "string") throw notStarted(tool, code);
    return code;
  } finally {
    restore();
    proxy.close();
  }
}

/** Ctrl-C, Ctrl-\, and a window of another size. */
const fromTerminal: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGWINCH"]);

/** What this process is told goes to the tool, and does not end this process before it. */
function forward(signals: readonly NodeJS.Signals[], send: (signal: NodeJS.Signals) => void): () => void {
  const handlers = forwardedSignals.map((signal) => [signal, () => (signals.includes(signal) ? send(signal) : undefined)] as const);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

const notStarted = (tool: string, why: string) =>
  new Refusal("INVALID_REQUEST", `"${printable(tool)}" could not be started (${printable(why, 60)}); is it installed, and spelled so?`);
