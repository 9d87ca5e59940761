import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { type Revocation, RevocationSchema } from "@sallyport/contracts";
import { RevocationSet } from "@sallyport/identity";
import type { State } from "@sallyport/state";

const log = "revocations";
const pageSize = 1000;

/**
 * Every revocation, in the order of the shared state's log, as far as this replica has read it. Reads are shared: whoever
 * asks while one is under way waits for the next, so each is answered by a read that began after the question, and at most
 * two reads serve any number of questions.
 */
export class RevocationLog {
  readonly #state: State;
  #set = new RevocationSet();
  #entries: Revocation[] = [];
  #reading: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #life = 0;
  readonly #listeners = new Set<() => void>();

  constructor(state: State) {
    this.#state = state;
  }

  /** What is revoked, as of the last read. */
  get set(): RevocationSet {
    return this.#set;
  }

  /** Entries after a sequence number, at most `limit`. */
  after(sequence: number, limit: number): readonly Revocation[] {
    return this.#entries.slice(sequence, sequence + limit);
  }

  get length(): number {
    return this.#entries.length;
  }

  /** Resolves once everything that was in the log when this was called is known here. @throws Refusal STATE_UNAVAILABLE */
  readToEnd(): Promise<void> {
    if (this.#reading === undefined) {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
      return this.#reading;
    }
    this.#next ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.readToEnd();
      });
    return this.#next;
  }

  /** Adds a revocation; resolves with its sequence number once the state holds it for good. */
  async append(revocation: Pick<Revocation, "subject" | "at">): Promise<number> {
    const message = create(RevocationSchema, {
      subject: revocation.subject,
      ...(revocation.at === undefined ? {} : { at: revocation.at }),
    });
    return this.#state.append(log, toJsonString(RevocationSchema, message));
  }

  /** Calls back whenever a read found something new. */
  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets everything: a new generation of the state has a new log. */
  startAnew(): void {
    this.#life++;
    this.#set = new RevocationSet();
    this.#entries = [];
  }

  async #read(): Promise<void> {
    const life = this.#life;
    const before = this.#entries.length;
    for (;;) {
      const page = await this.#state.readLog(log, this.#entries.length, pageSize);
      if (life !== this.#life) return this.#read();
      for (const { sequence, value } of page) {
        const revocation = fromJsonString(RevocationSchema, value);
        revocation.sequence = BigInt(sequence);
        this.#entries.push(revocation);
        this.#set.apply(revocation);
      }
      if (page.length < pageSize) break;
    }
    if (this.#entries.length > before) for (const listener of this.#listeners) listener();
  }
}
