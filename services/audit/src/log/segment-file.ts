import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { segmentName } from "@sallyport/evidence";

export const recordsPath = (dir: string, segment: number): string => join(dir, `${segmentName(segment)}.jsonl`);
export const leavesPath = (dir: string, segment: number): string => join(dir, `${segmentName(segment)}.leaves`);

/** Where the lines of a file start and where the last whole one ends. */
export interface LineEnds {
  /** `ends[i]` is the offset after line i's line break. */
  readonly ends: number[];
  /** Bytes after the last line break: what a stop in mid-write left. */
  readonly torn: number;
}

/** Finds every line of a segment's records; nothing where there is no file. */
export function lineEnds(path: string): LineEnds {
  if (!existsSync(path)) return { ends: [], torn: 0 };
  const fd = openSync(path, "r");
  try {
    const ends: number[] = [];
    const piece = Buffer.allocUnsafe(1024 * 1024);
    let offset = 0;
    for (;;) {
      const count = readSync(fd, piece, 0, piece.length, offset);
      if (count === 0) break;
      for (let at = piece.indexOf(0x0a); at >= 0 && at < count; at = piece.indexOf(0x0a, at + 1)) ends.push(offset + at + 1);
      offset += count;
    }
    return { ends, torn: fstatSync(fd).size - (ends.at(-1) ?? 0) };
  } finally {
    closeSync(fd);
  }
}

/** A segment's leaf hashes, as many as are whole. */
export function readLeaves(path: string): Buffer[] {
  if (!existsSync(path)) return [];
  const bytes = readFileSync(path);
  return Array.from({ length: Math.floor(bytes.length / 32) }, (_, at) => bytes.subarray(at * 32, at * 32 + 32));
}

/** Some lines of a segment's records, without their line breaks. */
export function readLines(path: string, ends: readonly number[], from: number, to: number): Buffer[] {
  const start = from === 0 ? 0 : (ends[from - 1] as number);
  const end = ends[to - 1] as number;
  const bytes = Buffer.allocUnsafe(end - start);
  const fd = openSync(path, "r");
  try {
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(fd, bytes, done, bytes.length - done, start + done);
      if (count === 0) throw new Error(`${path} is shorter than it was`);
      done += count;
    }
  } finally {
    closeSync(fd);
  }
  const lines: Buffer[] = [];
  for (let line = from, at = 0; line < to; line++) {
    const next = (ends[line] as number) - start;
    lines.push(bytes.subarray(at, next - 1));
    at = next;
  }
  return lines;
}
