/** Where a record came from: its journal and its sequence number there. */
export interface Place {
  readonly journal: string;
  readonly sequence: bigint;
}

const start = '{"metadata":{"log_name":"';
const between = '","sequence":';

/** Reads a record's place from its first bytes, which are always written the same; undefined for anything else. */
export function placeOf(record: Uint8Array): Place | undefined {
  const head = Buffer.from(record.buffer, record.byteOffset, Math.min(record.length, 160)).toString("latin1");
  if (!head.startsWith(start)) return undefined;
  const end = head.indexOf('"', start.length);
  if (end < 0 || !head.startsWith(between, end)) return undefined;
  const digits = head.slice(end + between.length, head.indexOf(",", end + between.length));
  return /^[1-9][0-9]{0,19}$/.test(digits) ? { journal: head.slice(start.length, end), sequence: BigInt(digits) } : undefined;
}

/** A record's `metadata.uid`, or undefined where it is no record. */
export function uidOf(record: Uint8Array): string | undefined {
  try {
    const { metadata } = JSON.parse(Buffer.from(record).toString("utf8")) as { metadata?: { uid?: unknown } };
    return typeof metadata?.uid === "string" ? metadata.uid : undefined;
  } catch {
    return undefined;
  }
}
