import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

/** Something on the way that can cut every connection, as a machine that loses power does to its peers. */
export interface Relay {
  /** `host:port` where it listens. */
  readonly address: string;
  /** Resets what is open; new connections pass. */
  cut(): void;
  stop(): Promise<void>;
}

/** @param to `host:port` */
export async function startRelay(to: string): Promise<Relay> {
  const [host, port] = to.split(":") as [string, string];
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one
        .on("error", () => undefined)
        .on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    stop: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
