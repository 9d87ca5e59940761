import type { State } from "@sallyport/state";
import { SealedCollection } from "./sealed-collection.ts";
import { type Session, sessionFromJson, sessionToJson } from "./session.ts";

/** A session as it was read, with what a compare-and-set must name. */
export interface StoredSession {
  readonly session: Session;
  readonly version: number;
}

/** Session records in the shared state, each until its session ends by itself. */
export class SessionStore {
  readonly #records: SealedCollection;
  readonly #clock: { now(): number };

  constructor(state: State, secret: Uint8Array, clock: { now(): number }) {
    this.#records = new SealedCollection(state, "sessions", secret);
    this.#clock = clock;
  }

  async load(sid: string): Promise<StoredSession | undefined> {
    const entry = await this.#records.get(sid);
    return entry === undefined ? undefined : { session: sessionFromJson(sid, entry.text), version: entry.version };
  }

  /** False where the id is taken. @param ttlMs kept for less than the session's life, while its holder is awaited */
  create(session: Session, ttlMs = session.endsAt - this.#clock.now()): Promise<boolean> {
    return this.#records.create(session.sid, sessionToJson(session), ttlMs);
  }

  /** False where it was changed, or ended, since it was read. */
  replace(session: Session, version: number): Promise<boolean> {
    return this.#records.replace(session.sid, version, sessionToJson(session), session.endsAt - this.#clock.now());
  }
}
