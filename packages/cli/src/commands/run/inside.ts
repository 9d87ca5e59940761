import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type Server } from "node:net";
import { constants } from "node:os";

/** What goes between `sallyport run` and its half in the namespace, over the channel that the half inherits. */
export type ToInside = { start: Record<string, string> } | { signal: NodeJS.Signals };
export type FromInside = { port: number } | { failed: string } | { ended: number };

/**
 * The half in the namespace: makes a listener on its loopback and hands it out, so that what connects there is answered outside;
 * then starts the tool. No key, no credential and no other way out was ever in here.
 *
 * @returns the tool's exit code
 */
export async function startInside(tool: string, args: readonly string[]): Promise<number> {
  if (process.send === undefined) throw new Error("this is for `sallyport run` itself");
  for (const signal of forwardedSignals) process.on(signal, () => {});
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const env = await environment(listener);
  // From here on only the half outside accepts.
  listener.close();
  const child = spawn(tool, args, { stdio: "inherit", env });
  process.on("message", (message: ToInside) => "signal" in message && child.kill(message.signal));
  process.on("disconnect", () => child.kill("SIGKILL"));
  const code = await endOf(child);
  await tell(typeof code === "number" ? { ended: code } : { failed: code });
  process.disconnect?.();
  return typeof code === "number" ? code : 127;
}

export const forwardedSignals = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGWINCH"] as const satisfies NodeJS.Signals[];

/** As a shell has it. @returns the exit code, or why the tool could not be started */
export function endOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal as NodeJS.Signals]));
  });
}

async function environment(listener: Server): Promise<Record<string, string>> {
  const started = new Promise<Record<string, string>>((resolve) => {
    const hear = (message: ToInside) => {
      if (!("start" in message)) return;
      process.off("message", hear);
      resolve(message.start);
    };
    process.on("message", hear);
  });
  await tell({ port: (listener.address() as { port: number }).port }, listener);
  return started;
}

const tell = (message: FromInside, listener?: Server) =>
  new Promise<void>((resolve) => {
    process.send?.(message, listener, {}, () => resolve());
  });
