import { randomBytes } from "node:crypto";
import { checkId, checkLimit, checkListed, checkMembers, checkName, checkTtl, checkValue, checkWhole } from "../arguments.ts";
import { type Entry, type State, type StateMark, unlisted, type WriteOptions } from "../state.ts";
import { unavailable } from "../unavailable.ts";
import { Watermark } from "../watermark.ts";
import { parseRedisAddress } from "./address.ts";
import type { Connect, Connection } from "./connection.ts";
import { Link } from "./link.ts";
import type { ScriptName } from "./scripts.ts";

const markKey = "sallyport:mark";
const defaultTimeoutMs = 1000;

/**
 * The state in Redis, for replicas to share. Redis must run with `appendonly yes` and `appendfsync always`; where
 * replicas of it follow, each write waits until one of them has it.
 */
export class RedisState implements State {
  readonly #link: Link;
  readonly #timeoutMs: number;
  readonly #watermark = new Watermark();
  /** In which of the server's lives the watermark was seen. */
  #seenIn = { generation: "", life: 0, runId: "-" };

  private constructor(link: Link, timeoutMs: number) {
    this.#link = link;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws Refusal INVALID_REQUEST for an address that cannot be read */
  static async open(url: string, options: { timeoutMs?: number; connect?: Connect }): Promise<RedisState> {
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    const link = new Link(parseRedisAddress(url), options.connect, timeoutMs);
    await link.settled();
    return new RedisState(link, timeoutMs);
  }

  async get(collection: string, id: string): Promise<Entry | undefined> {
    checkName(collection);
    checkId(id);
    return entryOf(await this.#read("get", (g) => [entryKey(g, collection, id)], []));
  }

  async create(collection: string, id: string, value: string, options: WriteOptions = {}): Promise<boolean> {
    checkEntry(collection, id, value, options);
    return (await this.#write("create", (g) => entryKeys(g, collection, id), [id, value, options.ttlMs ?? 0])) === 1;
  }

  async replace(collection: string, id: string, expectedVersion: number, value: string, options: WriteOptions = {}): Promise<boolean> {
    checkEntry(collection, id, value, options);
    return (await this.#write("replace", (g) => entryKeys(g, collection, id), [id, value, options.ttlMs ?? 0, expectedVersion])) === 1;
  }

  async delete(collection: string, id: string): Promise<boolean> {
    checkName(collection);
    checkId(id);
    return (await this.#write("delete", (g) => entryKeys(g, collection, id), [id])) === 1;
  }

  async list(collection: string, options: { after?: string; limit: number }): Promise<{ id: string; entry: Entry }[]> {
    checkListed(collection);
    checkLimit(options.limit);
    const listed: { id: string; entry: Entry }[] = [];
    for (let after = options.after ?? ""; ; ) {
      const prefix = entryKey(this.#watermark.generation, collection, "");
      const found = (await this.#read("list", (g) => [idsKey(g, collection)], [after, options.limit, prefix])) as (string | null)[];
      for (let i = 0; i < found.length; i += 2) {
        after = found[i] as string;
        const entry = entryOf(found[i + 1]);
        if (entry !== undefined && listed.push({ id: after, entry }) === options.limit) return listed;
      }
      if (found.length < 2 * options.limit) return listed;
    }
  }

  async join(set: string, member: string, ttlMs: number): Promise<number> {
    checkId(set);
    checkId(member);
    checkTtl(ttlMs);
    return (await this.#write("join", (g) => [setKey(g, set)], [member, ttlMs])) as number;
  }

  async leave(set: string, member: string): Promise<void> {
    checkId(set);
    checkId(member);
    await this.#write("leave", (g) => [setKey(g, set)], [member]);
  }

  async members(set: string, limit: number): Promise<string[]> {
    checkId(set);
    checkMembers(limit);
    return (await this.#read("members", (g) => [setKey(g, set)], [limit])) as string[];
  }

  async append(log: string, value: string): Promise<number> {
    checkName(log);
    checkValue(value);
    return (await this.#write("append", (g) => logKeys(g, log), [value])) as number;
  }

  async readLog(log: string, after: number, limit: number): Promise<{ sequence: number; value: string }[]> {
    checkName(log);
    checkWhole(after, "The sequence number to read after");
    checkLimit(limit);
    const [before, values] = (await this.#read("readLog", (g) => logKeys(g, log), [after, limit])) as [number, string[]];
    return values.map((value, i) => ({ sequence: before + i + 1, value }));
  }

  async trimLog(log: string, through: number): Promise<void> {
    checkName(log);
    checkWhole(through, "The last sequence number to forget");
    await this.#write("trimLog", (g) => logKeys(g, log), [through]);
  }

  async increment(counter: string, by: number, ttlMs: number): Promise<number> {
    checkId(counter);
    checkWhole(by, "An increment");
    checkTtl(ttlMs);
    return (await this.#run("increment", (g) => [`sallyport:${g}:counter:${counter}`], [by, ttlMs], false)) as number;
  }

  now(): Promise<number> {
    return this.#link.within(this.#timeoutMs, (connection) => connection.now());
  }

  async mark(): Promise<StateMark> {
    const [generation, epoch, tick] = await this.#link.within(this.#timeoutMs, (connection) => connection.mark());
    return { generation: generation ?? "", epoch: Number(epoch ?? 0), tick: Number(tick ?? 0) };
  }

  useGeneration(generation: string, seenTick?: number): void {
    this.#watermark.use(generation, seenTick);
  }

  async startGeneration(epoch: number): Promise<StateMark> {
    checkWhole(epoch, "An epoch");
    const generation = randomBytes(16).toString("base64url");
    await this.#link.within(this.#timeoutMs, async (connection, remaining) => {
      const [started, copies] = await this.#followed(
        connection,
        remaining,
        connection.run("start", [markKey], [generation, epoch, connection.runId]),
      );
      if (started[0] !== "ok") throw unavailable("epoch-taken");
      if (copies < 1) throw unavailable("not-replicated");
      connection.sweep(generation).catch(() => undefined); // what is left is out of reach, and goes with the next generation
    });
    this.#watermark.use(generation, 1);
    return { generation, epoch, tick: 1 };
  }

  async close(): Promise<void> {
    this.#link.close();
  }

  #read(script: ScriptName, keys: (generation: string) => string[], args: (string | number)[]): Promise<unknown> {
    return this.#run(script, keys, args, false);
  }

  #write(script: ScriptName, keys: (generation: string) => string[], args: (string | number)[]): Promise<unknown> {
    return this.#run(script, keys, args, true);
  }

  async #run(script: ScriptName, keys: (generation: string) => string[], args: (string | number)[], lasting: boolean): Promise<unknown> {
    const generation = this.#watermark.generation;
    return this.#link.within(this.#timeoutMs, async (connection, remaining) => {
      if (connection.adopted?.generation !== generation) await this.#adopt(connection, generation);
      const life = connection.adopted?.life as number;
      const sent = performance.now();
      const notAfter = connection.time.at(sent + remaining());
      const call = connection.run(script, [markKey, ...keys(generation)], [generation, this.#watermark.tick, life, notAfter, ...args]);
      const [[status, tick, now, result], copies] = lasting ? await this.#followed(connection, remaining, call) : [await call, 1];
      connection.time.heard(now as number, sent, performance.now());
      if (status !== "ok") throw this.#refused(connection, status);
      this.#saw(connection, generation, life, tick as number);
      if (copies < 1) throw unavailable("not-replicated");
      return result;
    });
  }

  /** With a write goes the question whether a replica has it, so that both take one round trip. */
  async #followed(connection: Connection, remaining: () => number, call: Promise<unknown[]>): Promise<[unknown[], number]> {
    if (connection.replicas === 0) return [await call, 1];
    return Promise.all([call, connection.replicated(0.9 * remaining())]);
  }

  /** Makes sure that this life of the server began no earlier than what this client has seen. */
  async #adopt(connection: Connection, generation: string): Promise<void> {
    const seen = this.#seenIn.generation === generation ? this.#seenIn : { life: 0, runId: "-" };
    const [status, tick, life] = await connection.run(
      "adopt",
      [markKey],
      [generation, this.#watermark.tick, seen.life, seen.runId, connection.runId],
    );
    if (status !== "ok") throw this.#refused(connection, status);
    connection.adopted = { generation, life: life as number };
    this.#saw(connection, generation, life as number, tick as number);
  }

  #saw(connection: Connection, generation: string, life: number, tick: number): void {
    this.#watermark.saw(generation, tick);
    if (generation !== this.#seenIn.generation || life >= this.#seenIn.life) this.#seenIn = { generation, life, runId: connection.runId };
  }

  #refused(connection: Connection, status: unknown): Error {
    connection.adopted = undefined;
    switch (status) {
      case "generation":
        return unavailable("other-generation");
      case "behind":
        return unavailable("behind");
      case "late":
        return unavailable("late");
      default: // another life of the server was noted since: what this connection leads to is no longer known
        connection.close();
        return unavailable("unreachable");
    }
  }
}

function checkEntry(collection: string, id: string, value: string, options: WriteOptions): void {
  checkName(collection);
  checkId(id);
  checkValue(value);
  checkTtl(options.ttlMs);
}

/** An entry is kept as `<version>:<value>`. */
function entryOf(stored: unknown): Entry | undefined {
  if (typeof stored !== "string") return undefined;
  const colon = stored.indexOf(":");
  return { version: Number(stored.slice(0, colon)), value: stored.slice(colon + 1) };
}

const entryKey = (generation: string, collection: string, id: string) => `sallyport:${generation}:entry:${collection}:${id}`;
const idsKey = (generation: string, collection: string) => `sallyport:${generation}:ids:${collection}`;
const entryKeys = (generation: string, collection: string, id: string) => {
  const key = entryKey(generation, collection, id);
  return unlisted.has(collection) ? [key] : [key, idsKey(generation, collection), `sallyport:${generation}:expiries:${collection}`];
};
const setKey = (generation: string, set: string) => `sallyport:${generation}:set:${set}`;
const logKeys = (generation: string, log: string) => [`sallyport:${generation}:log:${log}`, `sallyport:${generation}:trimmed:${log}`];
