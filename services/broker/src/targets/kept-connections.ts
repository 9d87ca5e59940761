import type { Client } from "undici";

/** Connections that wait for another use, at most, of all holders together and of one key. */
const maxKept = 256;
const maxKeptOfOne = 8;
/** Milliseconds that one may wait: shorter than what servers keep idle connections for. */
const idleMs = 4000;
/** Milliseconds from a connection's start after which it is not used again, so that names and certificates are looked at anew. */
const oldAfterMs = 60_000;

/** An open connection, out on loan to one exchange at a time. */
export interface Connection {
  readonly client: Client;
  /** Monotonic milliseconds. */
  readonly openedAt: number;
}

interface Kept extends Connection {
  readonly key: string;
  /** Whether whoever it was opened for may still act. */
  readonly live: () => boolean;
  readonly until: number;
}

/**
 * Connections between two uses. One is handed on only under the very key that it was opened with, which names everything that
 * must not be shared, and only after an answer that ended where it said it would. What a target sends while nobody waits
 * for an answer ends the connection, as its closing does (undici sees to it before a byte of the next request is written).
 */
export class KeptConnections {
  readonly #byKey = new Map<string, Kept[]>();
  readonly #now: () => number;
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get size(): number {
    return this.#count;
  }

  /** The newest that fits; it is the caller's until it is given back. */
  take(key: string): Connection | undefined {
    const kept = this.#byKey.get(key);
    for (let connection = kept?.pop(); connection !== undefined; connection = kept?.pop()) {
      this.#forgot(key, kept);
      if (connection.until > this.#now() && isOpen(connection.client) && connection.live()) return connection;
      drop(connection);
    }
    return undefined;
  }

  /** Keeps a connection whose answer ended whole; closes it where it is too old, or where there is no room. */
  give(key: string, { client, openedAt }: Connection, live: () => boolean): void {
    const now = this.#now();
    const kept = this.#byKey.get(key) ?? [];
    const until = Math.min(now + idleMs, openedAt + oldAfterMs);
    const connection: Kept = { client, openedAt, key, live, until };
    if (until <= now || kept.length >= maxKeptOfOne || !isOpen(client)) return drop(connection);
    if (this.#count >= maxKept) this.#dropOldest();
    this.#byKey.set(key, kept);
    kept.push(connection);
    this.#count++;
    this.#timer ??= setInterval(() => this.dropDead(), idleMs / 2).unref();
  }

  /** Closes every one that waited too long, or whose holder may no longer act: to be called when someone was revoked. */
  dropDead(): void {
    for (const connection of this.#all()) if (connection.until <= this.#now() || !connection.live()) this.#remove(connection);
  }

  close(): void {
    for (const connection of this.#all()) this.#remove(connection);
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #all(): Kept[] {
    return [...this.#byKey.values()].flat();
  }

  #remove(connection: Kept): void {
    const kept = this.#byKey.get(connection.key);
    const at = kept?.indexOf(connection) ?? -1;
    if (at < 0) return;
    kept?.splice(at, 1);
    this.#forgot(connection.key, kept);
    drop(connection);
  }

  #dropOldest(): void {
    const [oldest] = this.#byKey.values().next().value ?? [];
    if (oldest !== undefined) this.#remove(oldest);
  }

  #forgot(key: string, kept: readonly Kept[] | undefined): void {
    this.#count--;
    if (kept?.length === 0) this.#byKey.delete(key);
    if (this.#count > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const isOpen = ({ closed, destroyed, stats }: Client): boolean => !closed && !destroyed && stats.connected;

function drop({ client }: Pick<Connection, "client">): void {
  void client.destroy().catch(() => undefined);
}
