/** Where a record came from: its journal and its sequence number there. */
export interface Place {
  readonly journal: string;
  readonly sequence: bigint;
}

const start = Buffer.from('{"metadata":{"log_name":"', "latin1");
const quote = 0x22;
const between = Buffer.from('","sequence":', "latin1");

/** Reads a record's place from its first bytes, which are always written the same; undefined for anything else. */
export function placeOf(record: Uint8Array): Place | undefined {
  const bytes = Buffer.from(record.buffer, record.byteOffset, Math.min(record.length, 160));
  if (bytes.compare(start, 0, start.length, 0, Math.min(start.length, bytes.length)) !== 0) return undefined;
  const end = bytes.indexOf(quote, start.length);
  if (end < 0 || bytes.compare(between, 0, between.length, end, Math.min(end + between.length, bytes.length)) !== 0) return undefined;
  const digitsAt = end + between.length;
  const comma = bytes.indexOf(0x2c, digitsAt);
  const digits = comma < 0 ? "" : bytes.toString("latin1", digitsAt, comma);
  return /^[1-9][0-9]{0,19}$/.test(digits) ? { journal: bytes.toString("latin1", start.length, end), sequence: BigInt(digits) } : undefined;
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
