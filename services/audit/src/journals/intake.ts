import type { JournalEntry } from "@sallyport/contracts";
import { chainStart } from "@sallyport/journal";
import type { EvidenceLog } from "../log/evidence-log.ts";
import { checkEntries } from "./check-entries.ts";
import type { Position } from "./positions.ts";

const start: Position = { sequence: 0n, chain: chainStart, index: -1 };

/** Takes journals' entries into the log: each once, in its journal's order, whoever ships them and however often. */
export class Intake {
  readonly #log: EvidenceLog;
  readonly #positions: Map<string, Position>;
  readonly #bootKeys = new Map<string, Uint8Array>();
  /** For each journal the last thing that was begun: entries of two streams never interleave. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #onBoot: (journalId: string, key: Uint8Array) => void;

  /**
   * @param positions what the log holds of each journal
   * @param onBoot told when a journal shows a key that was not seen before
   */
  constructor(log: EvidenceLog, positions: Map<string, Position>, onBoot: (journalId: string, key: Uint8Array) => void = () => {}) {
    this.#log = log;
    this.#positions = positions;
    this.#onBoot = onBoot;
  }

  /** How far the log holds a journal. */
  position(journalId: string): Position {
    return this.#positions.get(journalId) ?? start;
  }

  /**
   * Logs what is new of the entries; resolves once a checkpoint on disk covers them.
   * @returns the journal's position and the newest checkpoint
   * @throws Refusal INVALID_REQUEST for entries that do not follow, AUDIT_UNAVAILABLE where they cannot be written
   */
  async accept(journalId: string, sent: readonly JournalEntry[]): Promise<{ position: Position; checkpoint: string }> {
    const before = this.#turns.get(journalId);
    const turn = (async () => {
      await before?.catch(() => {});
      return this.#accept(journalId, sent);
    })();
    this.#turns.set(journalId, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(journalId) === turn) this.#turns.delete(journalId);
    }
  }

  async #accept(journalId: string, sent: readonly JournalEntry[]) {
    const position = this.position(journalId);
    const known = this.#bootKeys.get(journalId);
    const { entries, bootKey } = checkEntries(journalId, position, known, sent);
    const last = entries.at(-1);
    if (last === undefined) return { position, checkpoint: this.#log.checkpoint };
    const { first, checkpoint } = await this.#log.append(entries.map(({ record }) => record));
    const moved: Position = { sequence: last.sequence, chain: Uint8Array.from(last.chain), index: first + entries.length - 1 };
    this.#positions.set(journalId, moved);
    if (bootKey !== undefined && (known === undefined || Buffer.compare(known, bootKey) !== 0)) {
      this.#bootKeys.set(journalId, Uint8Array.from(bootKey));
      this.#onBoot(journalId, bootKey);
    }
    return { position: moved, checkpoint };
  }
}
