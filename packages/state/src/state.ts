/** A stored value and the version to name when replacing it. */
export interface Entry {
  /** JSON text, exactly as it was written. */
  readonly value: string;
  /** Never used twice in a generation, not even after a delete: a compare-and-set cannot meet an older entry of the same name. */
  readonly version: number;
}

/** Where the state stands. */
export interface StateMark {
  /** Names this life of the state: random, 22 characters base64url; `""` while the state is empty. */
  readonly generation: string;
  /** Raised by authn whenever state was lost; 0 while the state is empty. */
  readonly epoch: number;
  /** Rises with each write and never falls, unless the state was rolled back. */
  readonly tick: number;
}

export interface WriteOptions {
  /** The entry is gone this many milliseconds after this write; without it the entry stays. At least 1. */
  ttlMs?: number;
}

/** Collections with an entry for each session or token, of which there are many: {@link State.list} refuses them. */
export const unlisted: ReadonlySet<string> = new Set([
  "sessions",
  "tickets",
  "outside-tokens",
  "saml-codes",
  "saml-assertions",
  "saml-requests",
  "sign-in-attempts",
  "device-codes",
  "user-codes",
  "authorization-codes",
]);

/**
 * What the services share: sessions, tickets, revocations, reviews, grants. SQLite where one machine holds it all, Redis
 * where replicas share it.
 *
 * Every call is bounded in time and throws Refusal `STATE_UNAVAILABLE` when the state cannot be reached, is not of the
 * generation in use, or is behind what a client has seen (it was lost or rolled back); the refusal's metadata `state` says
 * which. Once one client has found it behind, it refuses to all of them until a new generation is started. A write refused for time may
 * have happened; nothing is tried again here. Until {@link State.useGeneration} or {@link State.startGeneration} was
 * called, everything but {@link State.mark} refuses.
 *
 * Collections that nobody lists ({@link unlisted}) have no index of their ids: it would take as much room as a small entry.
 *
 * A collection, log, set or counter name is `[a-z0-9-]{1,64}`, except that a set's or a counter's may be any text; an id or member is 1 to 1,024 bytes of UTF-8. A value
 * is at most 1 MiB.
 */
export interface State {
  get(collection: string, id: string): Promise<Entry | undefined>;
  /** Writes an entry that is not there yet; false where it is. */
  create(collection: string, id: string, value: string, options?: WriteOptions): Promise<boolean>;
  /** Compare-and-set; false where the entry is gone or has another version. Its time to live is set anew. */
  replace(collection: string, id: string, expectedVersion: number, value: string, options?: WriteOptions): Promise<boolean>;
  /** False where there was none. */
  delete(collection: string, id: string): Promise<boolean>;
  /** Entries in the byte order of their ids, those after `after`; at most `limit` (1 to 1,000). */
  list(collection: string, options: { after?: string; limit: number }): Promise<{ id: string; entry: Entry }[]>;
  /**
   * Puts a member into a set, each for its own time, set anew where it is there. Many small sets cost little more than their members.
   * @returns how many it has now, this one among them
   */
  join(set: string, member: string, ttlMs: number): Promise<number>;
  /** Takes a member out of a set, if it is there. */
  leave(set: string, member: string): Promise<void>;
  /** The members of a set whose time is not over, in no order; at most `limit` (1 to 100,000). */
  members(set: string, limit: number): Promise<string[]>;
  /** Adds to a log; returns the sequence number, from 1 and without gaps. */
  append(log: string, value: string): Promise<number>;
  /** Records with a sequence number above `after`; at most `limit` (1 to 1,000). Where the first is not the next, those before it were trimmed. */
  readLog(log: string, after: number, limit: number): Promise<{ sequence: number; value: string }[]>;
  /** Forgets a log's records up to this one, but never its newest, so that its numbers go on and whoever reads it sees the gap. */
  trimLog(log: string, through: number): Promise<void>;
  /** Adds to a counter and returns its sum. The window starts with the first increment and is not moved by later ones. */
  increment(counter: string, by: number, ttlMs: number): Promise<number>;
  /** What time it is by the state's own clock, epoch milliseconds: by which entries end. */
  now(): Promise<number>;
  /** Where the state stands, of whatever generation it is. */
  mark(): Promise<StateMark>;
  /**
   * From now on every call refuses unless the state is of this generation.
   * @param seenTick a tick that this generation is known to have reached, where the caller knows one
   */
  useGeneration(generation: string, seenTick?: number): void;
  /**
   * Forgets everything and starts a new generation, used from then on. Only authn does this.
   * @param epoch above that of the state (1 for the first); else refused, as another authn was quicker
   */
  startGeneration(epoch: number): Promise<StateMark>;
  close(): Promise<void>;
}
