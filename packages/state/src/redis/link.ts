import { Refusal } from "@sallyport/contracts";
import { unavailable } from "../unavailable.ts";
import type { RedisAddress } from "./address.ts";
import { type Connect, Connection } from "./connection.ts";

const lookEveryMs = 1000;
const slowestRetryMs = 500;

/**
 * Keeps one connection to Redis. A call that takes too long costs the connection, since the answers behind it would come
 * late too; a new one is tried for at once and then at growing intervals. While there is none, calls refuse at once.
 */
export class Link {
  readonly #address: RedisAddress;
  readonly #connect: Connect | undefined;
  readonly #timeoutMs: number;
  readonly #stop = new AbortController();
  #connection: Connection | undefined;
  #opening: Promise<void> = Promise.resolve();

  constructor(address: RedisAddress, connect: Connect | undefined, timeoutMs: number) {
    this.#address = address;
    this.#connect = connect;
    this.#timeoutMs = timeoutMs;
    this.#opening = this.#open(0);
  }

  /** Resolves when the first attempt has come to its end, well or not. */
  settled(): Promise<void> {
    return this.#opening;
  }

  /**
   * Runs `work` on the connection.
   * @throws Refusal STATE_UNAVAILABLE after `timeoutMs`, or at once where there is no connection
   */
  async within<T>(timeoutMs: number, work: (connection: Connection, remaining: () => number) => Promise<T>): Promise<T> {
    if (this.#stop.signal.aborted) throw unavailable("closed");
    const connection = this.#connection;
    if (connection === undefined) throw unavailable("unreachable");
    const until = performance.now() + timeoutMs;
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(unavailable("late"));
      this.#drop(connection);
    }, timeoutMs);
    try {
      return await Promise.race([work(connection, () => Math.max(0, until - performance.now())), tooLate]);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      this.#drop(connection);
      throw this.#stop.signal.aborted ? unavailable("closed") : unavailable("unreachable", error);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#stop.abort();
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #open(attempt: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    try {
      const connection = await Connection.open(
        this.#address,
        this.#connect,
        AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#timeoutMs)]),
      );
      if (this.#stop.signal.aborted) return connection.close();
      this.#connection = connection;
      connection.onClose(() => this.#drop(connection));
      this.#watch(connection);
    } catch {
      const delay = Math.min(25 * 2 ** attempt, slowestRetryMs) * (0.75 + Math.random() / 2);
      setTimeout(() => void this.#open(Math.min(attempt + 1, 10)), delay).unref();
    }
  }

  #drop(connection: Connection): void {
    connection.close();
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#opening = this.#open(0);
  }

  /** Finds out about replicas, and about a server that no longer answers, without a caller having to wait for it. */
  #watch(connection: Connection): void {
    const timer = setInterval(() => {
      if (this.#connection !== connection) return clearInterval(timer);
      this.within(this.#timeoutMs, () => connection.look()).catch(() => undefined);
    }, lookEveryMs);
    timer.unref();
  }
}
