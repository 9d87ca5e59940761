import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Revocation, RevocationSchema } from "@sallyport/contracts";
import { RevocationSet } from "@sallyport/identity";
import type { State } from "@sallyport/state";

const log = "revocations";
const pageSize = 1000;

/**
 * Every revocation that could still be met, in the order of the shared state's log, as far as this replica has read it. Reads
 * are shared: whoever asks while one is under way waits for the next, so each is answered by a read that began after the
 * question, and at most two reads serve any number of questions. Kept as the log has them, a hundred bytes each.
 */
export class RevocationLog {
  readonly #state: State;
  #set = new RevocationSet();
  /** The first is of the sequence number after `#forgotten`. */
  #entries: string[] = [];
  #forgotten = 0;
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

  /** Entries after a sequence number, at most `limit`; of those that are forgotten, none. */
  after(sequence: number, limit: number): readonly Revocation[] {
    const from = Math.max(0, sequence - this.#forgotten);
    return this.#entries.slice(from, from + limit).map((text, index) => revocationFrom(text, this.#forgotten + from + index + 1));
  }

  /** The newest sequence number that was read. */
  get newest(): number {
    return this.#forgotten + this.#entries.length;
  }

  /** Entries up to this one are forgotten; 0 where none is. */
  get forgottenThrough(): number {
    return this.#forgotten;
  }

  /** How many are kept. */
  get length(): number {
    return this.#entries.length;
  }

  /**
   * Forgets what was revoked before a time, by which all that was revoked then is over by itself; the newest entry always stays.
   * @param before epoch milliseconds
   * @returns how many were forgotten @throws Refusal STATE_UNAVAILABLE
   */
  async forgetBefore(before: number): Promise<number> {
    await this.readToEnd();
    const life = this.#life;
    let count = 0;
    // Only from the oldest on, and nothing without a time: what reaches without end is never over.
    for (; count < this.#entries.length - 1; count++) {
      const { at } = revocationFrom(this.#entries[count] as string, 0);
      if (at === undefined || timestampMs(at) >= before) break;
    }
    if (count === 0) return 0;
    // What was judged, by its number: while the state is asked, others may forget, too.
    const through = this.#forgotten + count;
    await this.#state.trimLog(log, through);
    if (life === this.#life && through > this.#forgotten) this.#forget(through);
    return count;
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
    this.#forgotten = 0;
  }

  #forget(through: number): void {
    this.#entries = this.#entries.slice(through - this.#forgotten);
    this.#forgotten = through;
    this.#set.forgetThrough(BigInt(through));
  }

  async #read(): Promise<void> {
    const life = this.#life;
    const before = this.newest;
    for (;;) {
      const page = await this.#state.readLog(log, this.newest, pageSize);
      if (life !== this.#life) return this.#read();
      for (const { sequence, value } of page) {
        // Another authn has forgotten what lies between, or did before this one began.
        if (sequence > this.newest + 1) this.#forget(sequence - 1);
        this.#entries.push(value);
        this.#set.apply(revocationFrom(value, sequence));
      }
      if (page.length < pageSize) break;
    }
    if (this.newest > before) for (const listener of this.#listeners) listener();
  }
}

function revocationFrom(text: string, sequence: number): Revocation {
  const revocation = fromJsonString(RevocationSchema, text);
  revocation.sequence = BigInt(sequence);
  return revocation;
}
