import { connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A TCP port on 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Connects to 127.0.0.1; undefined where nothing listens. */
export function dial(port: number, timeoutMs = 1000): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const fail = () => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(timeoutMs, fail);
    socket.once("error", fail).once("connect", () => {
      socket.setTimeout(0);
      socket.removeListener("error", fail);
      resolve(socket);
    });
  });
}

/** Whether what listens at a port answers a request with what begins as it should, within a second. */
export async function answers(port: number, request: string | Uint8Array, begins = ""): Promise<boolean> {
  const socket = await dial(port);
  if (socket === undefined) return false;
  try {
    return await new Promise<boolean>((resolve) => {
      socket
        .once("error", () => resolve(false))
        .once("close", () => resolve(false))
        .setTimeout(1000, () => resolve(false));
      socket.once("data", (reply) => resolve(`${reply}`.startsWith(begins)));
      socket.write(request);
    });
  } finally {
    socket.destroy();
  }
}

/**
 * Asks `ready` again and again until it says yes.
 * @throws with `what` after `timeoutMs`
 */
export async function until(what: string, ready: () => Promise<boolean> | boolean, timeoutMs = 30_000, everyMs = 25): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await ready())) {
    if (performance.now() > end) throw new Error(`${what}: not after ${timeoutMs} ms`);
    await delay(everyMs);
  }
}
