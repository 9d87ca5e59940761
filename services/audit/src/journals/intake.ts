import { type JournalEntry, Refusal } from "@sallyport/contracts";
import { chainStart } from "@sallyport/journal";
import type { EvidenceLog } from "../log/evidence-log.ts";
import { checkEntries } from "./check-entries.ts";
import type { Position } from "./positions.ts";

const start: Position = { sequence: 0n, chain: chainStart, index: -1 };

/** One stream that ships a journal; open until it is closed. */
export interface Writer {
  readonly journalId: string;
  /** That its process made when it started. */
  readonly bootKey: Uint8Array;
  close(): void;
}

/** What others may want to put on record. */
export interface IntakeEvents {
  /** A journal shows a key that was not seen before. */
  readonly boot?: (journalId: string, key: Uint8Array) => void;
  /** A second process writes a journal that another is writing, and was refused. */
  readonly contested?: (journalId: string, key: Uint8Array) => void;
}

/**
 * Takes journals' entries into the log: each once, in its journal's order, and however often they are shipped. Certificates are a role's and
 * not a replica's, so what tells two processes apart is the key that each makes when it starts: while one process has a
 * stream open, no other may go on with its journal.
 */
export class Intake {
  readonly #log: EvidenceLog;
  readonly #positions: Map<string, Position>;
  readonly #bootKeys = new Map<string, Uint8Array>();
  /** For each journal the last thing that was begun: entries of two streams never interleave. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #writers = new Map<string, Set<Writer>>();
  readonly #events: IntakeEvents;

  /**
   * @param positions what the log holds of each journal
   */
  constructor(log: EvidenceLog, positions: Map<string, Position>, events: IntakeEvents = {}) {
    this.#log = log;
    this.#positions = positions;
    this.#events = events;
  }

  /** A stream begins to ship a journal. */
  open(journalId: string, bootKey: Uint8Array): Writer {
    const writers = this.#writers.get(journalId) ?? new Set();
    this.#writers.set(journalId, writers);
    const writer: Writer = {
      journalId,
      bootKey: Uint8Array.from(bootKey),
      close: () => {
        writers.delete(writer);
        if (writers.size === 0 && this.#writers.get(journalId) === writers) this.#writers.delete(journalId);
      },
    };
    writers.add(writer);
    return writer;
  }

  /** How far the log holds a journal. */
  position(journalId: string): Position {
    return this.#positions.get(journalId) ?? start;
  }

  /**
   * Logs what is new of the entries; resolves once a checkpoint on disk covers them.
   * @returns the journal's position and the newest checkpoint
   * @throws Refusal INVALID_REQUEST for entries that do not follow or come from a second process, AUDIT_UNAVAILABLE where they cannot
   *   be written
   */
  async accept(writer: Writer, sent: readonly JournalEntry[]): Promise<{ position: Position; checkpoint: string }> {
    const { journalId } = writer;
    const before = this.#turns.get(journalId);
    const turn = (async () => {
      await before?.catch(() => {});
      return this.#accept(writer, sent);
    })();
    this.#turns.set(journalId, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(journalId) === turn) this.#turns.delete(journalId);
    }
  }

  async #accept(writer: Writer, sent: readonly JournalEntry[]) {
    const { journalId } = writer;
    const position = this.position(journalId);
    const known = this.#bootKeys.get(journalId);
    const { entries, bootKey } = checkEntries(journalId, position, known, sent);
    const last = entries.at(-1);
    if (last === undefined) return { position, checkpoint: this.#log.checkpoint };
    const boots = bootKey !== undefined && (known === undefined || Buffer.compare(known, bootKey) !== 0);
    if (boots && this.#isContested(writer, bootKey)) {
      this.#events.contested?.(journalId, bootKey);
      throw contested(journalId);
    }
    const { first, checkpoint } = await this.#log.append(entries.map(({ record }) => record));
    const moved: Position = { sequence: last.sequence, chain: Uint8Array.from(last.chain), index: first + entries.length - 1 };
    this.#positions.set(journalId, moved);
    if (boots) {
      this.#bootKeys.set(journalId, Uint8Array.from(bootKey));
      this.#events.boot?.(journalId, bootKey);
    }
    return { position: moved, checkpoint };
  }

  /** A process that starts anew has the journal to itself: its predecessor's stream ended with it. */
  #isContested(writer: Writer, bootKey: Uint8Array): boolean {
    const open = this.#writers.get(writer.journalId) ?? [];
    return [...open].some((other) => other !== writer && Buffer.compare(other.bootKey, bootKey) !== 0);
  }
}

const contested = (journalId: string) =>
  new Refusal(
    "INVALID_REQUEST",
    `Another process is writing journal ${journalId}, so this one's entries are not logged: each replica needs a data folder of its own. Where the other one is gone, its connection ends within two minutes and shipping goes on by itself.`,
  );
