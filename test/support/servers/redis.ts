import { answers, freePort } from "../process/port.ts";
import { onPath } from "./on-path.ts";
import { type Finder, type OwnServer, own, type Server, type Skipped, theirs } from "./server.ts";

export interface RedisOptions {
  /** Never the one that the environment names, so that it can be paused and killed. */
  own?: boolean;
  /** Follow this one. */
  replicaOf?: Server;
}

const named = () => process.env.SALLYPORT_TEST_REDIS;
const missing = () =>
  named() !== undefined || onPath("redis-server") !== undefined
    ? undefined
    : "no Redis: install redis-server (Debian: apt-get install redis-server), or set SALLYPORT_TEST_REDIS=redis://host:port";

/** A Redis that forgets nothing (`appendfsync always`); `address` is its url. */
export const redis: Finder<OwnServer, RedisOptions> = Object.assign(
  async (options: RedisOptions = {}): Promise<OwnServer | Skipped> => {
    const address = named();
    if (address !== undefined && !options.own) return theirs(address);
    const command = onPath("redis-server");
    if (command === undefined) return { skipped: missing() ?? "no redis-server on the PATH: tests that stop it need one of their own" };
    const port = await freePort();
    const replicaOf = options.replicaOf === undefined ? [] : ["--replicaof", "127.0.0.1", new URL(options.replicaOf.address).port];
    return own(`redis://127.0.0.1:${port}`, (folder) => ({
      name: "redis-server",
      command,
      args: [
        ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
        ["--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0", "--enable-debug-command", "local"],
        replicaOf,
      ].flat(),
      ready: () => answers(port, "PING\r\n", "+PONG"),
    }));
  },
  { missing },
);
