/**
 * An evidence log as it lies in a folder: `log.json`; for each segment `NNNNNNNN.jsonl` (the records' exact bytes, one a line)
 * and `NNNNNNNN.leaves` (32 bytes each); `checkpoints.jsonl`. Reading is the caller's: this package does no I/O.
 */
export interface LogFiles {
  /** Text of `log.json`. */
  readonly manifest: string | undefined;
  /** Text of `checkpoints.jsonl`. */
  readonly checkpoints: string | undefined;
  /** Numbers of the segments that have records, ascending. */
  readonly segments: readonly number[];
  /** The bytes of a segment's `.leaves`. */
  leaves(segment: number): Buffer | undefined;
  /** The bytes of a segment's `.jsonl`, in pieces. */
  records(segment: number): Iterable<Buffer>;
}

/** What a log says of itself. */
export interface LogManifest {
  readonly format: 1;
  /** Names the log for ever: the checkpoints' first line, the `log id` of every Kafka record. */
  readonly origin: string;
  /** A power of two: segment N begins at index N × this. */
  readonly recordsPerSegment: number;
  /** The key that signs checkpoints, as C2SP signed-note writes it. */
  readonly verifierKey: string;
}

/** Records in a segment of a log that nobody configured otherwise. */
export const defaultRecordsPerSegment = 65_536;

/** Reads `log.json`; undefined where it is malformed. */
export function parseManifest(text: string): LogManifest | undefined {
  try {
    const { format, origin, recordsPerSegment, verifierKey } = JSON.parse(text) as Record<string, unknown>;
    if (format !== 1 || typeof origin !== "string" || typeof verifierKey !== "string") return undefined;
    if (typeof recordsPerSegment !== "number" || !Number.isInteger(Math.log2(recordsPerSegment))) return undefined;
    return { format, origin, recordsPerSegment, verifierKey };
  } catch {
    return undefined;
  }
}

/** The file name of a segment, without its ending. */
export const segmentName = (segment: number): string => segment.toString().padStart(8, "0");

/** One line of `checkpoints.jsonl`. */
export const checkpointLine = (note: string): string => `${JSON.stringify({ checkpoint: note })}\n`;

/** The note in a line of `checkpoints.jsonl`; undefined where it is malformed. */
export function noteOfLine(line: string): string | undefined {
  try {
    const { checkpoint } = JSON.parse(line) as { checkpoint?: unknown };
    return typeof checkpoint === "string" ? checkpoint : undefined;
  } catch {
    return undefined;
  }
}
