import { type KeyObject, verify } from "node:crypto";
import { type JournalEntry, Refusal } from "@sallyport/contracts";
import { ed25519PublicKey, maxRecordBytes, placeOf } from "@sallyport/evidence";
import { chainValue } from "@sallyport/journal";
import type { Position } from "./positions.ts";

/** What of a message is new and proven. */
export interface Checked {
  /** Entries to log, in order: up to the last signature, and after the journal's position. */
  readonly entries: readonly JournalEntry[];
  /** The key in force after them. */
  readonly bootKey: Uint8Array | undefined;
}

/**
 * Checks entries against where their journal stands: whole numbers in order, each chained to the one before, the last one
 * signed by the boot's key, each record saying the place that it was shipped for, on one line.
 *
 * Entries that the log holds already are passed over; one that continues another history is refused.
 * @throws Refusal INVALID_REQUEST
 */
export function checkEntries(
  journalId: string,
  position: Position,
  bootKey: Uint8Array | undefined,
  sent: readonly JournalEntry[],
): Checked {
  let { sequence, chain } = position;
  let key = bootKey;
  const entries: JournalEntry[] = [];
  for (const entry of sent) {
    if (entry.bootKey.length === 32) key = entry.bootKey;
    if (entry.sequence === position.sequence && !equal(entry.chain, position.chain))
      throw wrong(journalId, entry, "contradicts the one that the log holds: the journal was forked");
    if (entry.sequence <= position.sequence) continue;
    if (entry.sequence !== sequence + 1n) throw wrong(journalId, entry, `does not follow entry ${sequence}`);
    if (entry.record.length > maxRecordBytes || entry.record.includes(0x0a))
      throw wrong(journalId, entry, "is too large or holds a line break");
    const place = placeOf(entry.record);
    if (place?.journal !== journalId || place.sequence !== entry.sequence) throw wrong(journalId, entry, "says that it belongs elsewhere");
    const expected = chainValue(chain, entry.sequence, entry.record);
    if (!expected.equals(entry.chain))
      throw wrong(journalId, entry, "is not chained to the one before: it was altered, or the journal was forked");
    entries.push(entry);
    ({ sequence } = entry);
    chain = expected;
  }
  const last = entries.at(-1);
  if (last !== undefined && (key === undefined || !signed(last, key))) throw wrong(journalId, last, "is not signed by its journal's key");
  return { entries, bootKey: key };
}

/** By the bytes that are remembered of a journal, which stay the same for a boot. */
const publicKeys = new WeakMap<Uint8Array, KeyObject>();

function publicKeyOf(raw: Uint8Array): KeyObject {
  const known = publicKeys.get(raw) ?? ed25519PublicKey(raw);
  publicKeys.set(raw, known);
  return known;
}

/** Every message ends with a batch, and a batch with its signature. */
function signed({ chain, signature }: JournalEntry, key: Uint8Array): boolean {
  return signature.length === 64 && verify(null, chain, publicKeyOf(key), signature);
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const wrong = (journalId: string, entry: JournalEntry, what: string) =>
  new Refusal(
    "INVALID_REQUEST",
    `Entry ${entry.sequence} of journal ${journalId} ${what}. It is not logged; compare the journal with the evidence log.`,
  );
