import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { type LogFiles, segmentName } from "@sallyport/evidence";
import { readIfPresent } from "./durable-file.ts";

/** An evidence log's folder, read-only, as verification reads it. The files may grow meanwhile. */
export function logFolder(dir: string): LogFiles {
  const segments = readdirSync(dir)
    .map((name) => /^([0-9]{8})\.jsonl$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
  return {
    manifest: readIfPresent(join(dir, "log.json")),
    checkpoints: readIfPresent(join(dir, "checkpoints.jsonl")),
    segments,
    leaves: (segment) => bytesIfPresent(join(dir, `${segmentName(segment)}.leaves`)),
    records: (segment) => pieces(join(dir, `${segmentName(segment)}.jsonl`)),
  };
}

function* pieces(path: string): Generator<Buffer> {
  const fd = openSync(path, "r");
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(1024 * 1024);
      const count = readSync(fd, piece, 0, piece.length, null);
      if (count === 0) return;
      yield piece.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}

function bytesIfPresent(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
