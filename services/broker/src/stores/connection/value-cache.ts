import type { Clock } from "@sallyport/service";
import { type ReadSecret, zero } from "../secret-store.ts";

interface Held {
  readonly read: ReadSecret;
  readonly ends: NodeJS.Timeout;
}

/** More than an installation uses within seconds; the oldest goes first. */
const maxHeld = 1000;

/**
 * Values that were fetched a moment ago, for the next use: in memory only, each zeroed when its time is over. A hit changes
 * nothing about who may use a value, since it is asked for after that was decided. Keyed by secret, path and version; "the
 * newest" is remembered no longer than the value, and not over a write of our own.
 */
export class ValueCache {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #held = new Map<string, Held>();
  /** The newest version by path, and until when (monotonic milliseconds) that is taken as true. */
  readonly #newest = new Map<string, { version: string; until: number }>();
  /** Counted up by each write of ours, so that a read which overlaps one is not kept. */
  #writes = 0;

  constructor(clock: Clock, seconds: number) {
    this.#clock = clock;
    this.#ms = seconds * 1000;
  }

  /** What to hand to `keep` with what was read: taken before the store is asked. */
  asked(): { at: number; writes: number } {
    return { at: this.#clock.monotonic(), writes: this.#writes };
  }

  /** A copy, which the caller zeroes. */
  find(secret: string, path: string, version?: string): ReadSecret | undefined {
    const newest = this.#newest.get(path);
    const wanted = version ?? (newest !== undefined && this.#clock.monotonic() < newest.until ? newest.version : undefined);
    const held = wanted === undefined ? undefined : this.#held.get(key(secret, path, wanted));
    return held === undefined ? undefined : copyOf(held.read);
  }

  keep(secret: string, path: string, version: string | undefined, read: ReadSecret, { at, writes }: { at: number; writes: number }): void {
    const until = at + this.#ms;
    const left = until - this.#clock.monotonic();
    if (writes !== this.#writes || left <= 0) return;
    const id = key(secret, path, read.version);
    this.#drop(id);
    this.#held.set(id, { read: copyOf(read), ends: setTimeout(() => this.#drop(id), left).unref() });
    if (version === undefined) this.#newest.set(path, { version: read.version, until });
    while (this.#held.size > maxHeld) this.#drop(this.#held.keys().next().value as string);
    while (this.#newest.size > maxHeld) this.#newest.delete(this.#newest.keys().next().value as string);
  }

  /** The store said which version is the newest: another one is no longer taken for it. */
  saw(path: string, version: string): void {
    if (this.#newest.get(path)?.version !== version) this.#newest.delete(path);
  }

  /** Before and after each write of ours. */
  written(path: string): void {
    this.#writes++;
    this.#newest.delete(path);
  }

  clear(): void {
    this.#writes++;
    this.#newest.clear();
    for (const id of [...this.#held.keys()]) this.#drop(id);
  }

  #drop(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    clearTimeout(held.ends);
    this.#held.delete(id);
    zero(held.read.fields);
  }
}

/** Names and versions hold no NUL. */
const key = (secret: string, path: string, version: string) => `${secret}\0${path}\0${version}`;

const copyOf = (read: ReadSecret): ReadSecret => ({
  ...read,
  fields: new Map([...read.fields].map(([field, value]) => [field, Buffer.from(value)])),
});
