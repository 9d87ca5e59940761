import { Refusal } from "@sallyport/contracts";
import { SqliteState } from "./sqlite/sqlite-state.ts";
import type { State } from "./state.ts";

export interface StateOptions {
  /** Holds `state.db` where the state is SQLite. */
  dataDir: string;
  clock: { now(): number };
  /** Milliseconds that one call may take; 1,000 unless given. */
  timeoutMs?: number;
  /** Opens the connection to Redis (the guarded dialler); by default a plain or TLS socket. */
  connect?: (address: { host: string; port: number; tls: boolean }) => Promise<import("node:stream").Duplex>;
}

/**
 * Opens the state that a configuration names. Redis need not be reachable yet: calls refuse until it is.
 * @param url `sqlite`, `redis://[user:password@]host:port[/db]` or `rediss://…`
 * @throws Refusal INVALID_REQUEST for another url, STATE_UNAVAILABLE where the SQLite file cannot be opened
 */
export async function openState(url: string, options: StateOptions): Promise<State> {
  if (url === "sqlite") return SqliteState.open(options);
  if (/^rediss?:\/\//.test(url)) {
    // Its client is heavy, and the embedded form has none.
    const { RedisState } = await import("./redis/redis-state.ts");
    return RedisState.open(url, options);
  }
  throw new Refusal(
    "INVALID_REQUEST",
    "`state` must be `sqlite`, or the address of a Redis as `redis://host:port` or `rediss://host:port`.",
  );
}
