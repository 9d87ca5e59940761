import type { Duplex } from "node:stream";
import { AbstractConnector, Redis, type RedisOptions } from "ioredis";
import type { RedisAddress } from "./address.ts";
import { type ScriptName, scripts } from "./scripts.ts";
import { ServerTime } from "./server-time.ts";

export type Connect = (address: { host: string; port: number; tls: boolean }) => Promise<Duplex>;

/** One connection to one life of one server. Once anything went wrong with it, it is closed and another one is made. */
export class Connection {
  /** The server's run id, another after each restart. */
  readonly runId: string;
  readonly time: ServerTime;
  readonly #redis: Redis;
  readonly #shas: Record<ScriptName, string>;
  /** Replicas that follow at this time; looked at once a second. */
  replicas = 0;
  /** The state's generation, and which of the server's lives in it this connection is in, once that is known. */
  adopted: { generation: string; life: number } | undefined;

  private constructor(redis: Redis, runId: string, time: ServerTime, shas: Record<ScriptName, string>) {
    this.#redis = redis;
    this.runId = runId;
    this.time = time;
    this.#shas = shas;
  }

  /** Connects, signs in and loads the scripts; the caller bounds it with `signal`. */
  static async open(address: RedisAddress, connect: Connect | undefined, signal: AbortSignal): Promise<Connection> {
    const redis = new Redis(optionsFor(address, connect));
    redis.on("error", () => undefined); // each call says so itself
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => {
      redis.disconnect();
      reject(new Error("took too long"));
    };
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([Connection.#ready(redis), aborted]);
    } catch (error) {
      redis.disconnect();
      throw bare(error);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  static async #ready(redis: Redis): Promise<Connection> {
    await redis.connect();
    const runId = /^run_id:(\S+)/m.exec(await redis.info("server"))?.[1];
    if (runId === undefined) throw new Error("no run_id");
    const time = new ServerTime();
    const sent = performance.now();
    const [seconds, micros] = await redis.time();
    time.heard(Number(seconds) * 1000 + Math.floor(Number(micros) / 1000), sent, performance.now());
    const names = Object.keys(scripts) as ScriptName[];
    const shas = await Promise.all(names.map(async (name) => [name, await redis.script("LOAD", scripts[name])] as const));
    const connection = new Connection(redis, runId, time, Object.fromEntries(shas) as Record<ScriptName, string>);
    await connection.look();
    return connection;
  }

  onClose(listener: () => void): void {
    if (this.#redis.status === "ready") this.#redis.once("close", listener);
    else listener();
  }

  async run(script: ScriptName, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    this.#gather();
    return bared(this.#redis.evalsha(this.#shas[script], keys.length, ...keys, ...args)) as Promise<unknown[]>;
  }

  /** What is asked in one turn of the event loop goes out in one write, which costs as much as all the rest of a question. */
  #gather(): void {
    const { stream } = this.#redis;
    if (stream.writableCorked > 0) return;
    stream.cork();
    process.nextTick(() => stream.uncork());
  }

  /** Sends what follows a write in the same breath; resolves with how many replicas have it. */
  async replicated(timeoutMs: number): Promise<number> {
    return bared(this.#redis.wait(1, Math.max(1, Math.floor(timeoutMs))));
  }

  /** The server's clock, epoch milliseconds. */
  async now(): Promise<number> {
    const [seconds, micros] = await bared(this.#redis.time());
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  async mark(): Promise<(string | null)[]> {
    return bared(this.#redis.hmget("sallyport:mark", "generation", "epoch", "tick"));
  }

  /** Counts the replicas that follow. */
  async look(): Promise<void> {
    this.replicas = (await bared(this.#redis.info("replication"))).match(/^slave\d+:.*state=online/gm)?.length ?? 0;
  }

  /** Removes the keys of other generations. */
  async sweep(generation: string): Promise<void> {
    let cursor = "0";
    do {
      const [next, keys] = await bared(this.#redis.scan(cursor, "MATCH", "sallyport:*", "COUNT", 500));
      const stale = keys.filter((key) => key !== "sallyport:mark" && !key.startsWith(`sallyport:${generation}:`));
      if (stale.length > 0) await bared(this.#redis.unlink(...stale));
      cursor = next;
    } while (cursor !== "0");
  }

  close(): void {
    this.#redis.disconnect();
  }
}

function optionsFor(address: RedisAddress, connect: Connect | undefined) {
  return {
    host: address.host,
    port: address.port,
    db: address.database,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: { host: address.host, servername: address.host } } : {}),
    ...(connect === undefined ? {} : { Connector: connectorBy(address, connect) }),
    connectionName: "sallyport",
    disableClientInfo: true,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: null,
    disconnectTimeout: 1,
  } satisfies RedisOptions;
}

function connectorBy(address: RedisAddress, connect: Connect): NonNullable<RedisOptions["Connector"]> {
  return class extends AbstractConnector {
    constructor() {
      super(1);
    }
    override async connect() {
      this.connecting = true;
      this.stream = (await connect({ host: address.host, port: address.port, tls: address.tls })) as typeof this.stream;
      if (!this.connecting) this.stream.destroy();
      return this.stream;
    }
  };
}

async function bared<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw bare(error);
  }
}

/** ioredis puts the command with its arguments into its errors; those hold what is stored and must not be logged. */
function bare(error: unknown): Error {
  const code = (error as { code?: unknown }).code;
  const word = /^[A-Z]{3,20}\b/.exec((error as Error).message ?? "")?.[0];
  return new Error(`redis: ${typeof code === "string" ? code : (word ?? "connection failed")}`);
}
