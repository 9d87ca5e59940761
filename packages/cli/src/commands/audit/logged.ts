import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type LogFiles, linesOf, parseManifest, segmentName } from "@sallyport/evidence";
import { logFolder } from "@sallyport/journal";
import { InvalidArgumentError } from "commander";

/** A record of a local evidence log. */
export interface Logged {
  readonly index: number;
  /** Its exact bytes. */
  readonly text: string;
}

/** The files of an evidence log. @throws InvalidArgumentError where the folder holds none */
export function openFolder(dir: string): LogFiles & { readonly recordsPerSegment: number } {
  const files = existsSync(dir) ? logFolder(dir) : undefined;
  const manifest = files?.manifest === undefined ? undefined : parseManifest(files.manifest);
  if (files === undefined || manifest === undefined)
    throw new InvalidArgumentError(`${dir} is no evidence log: it has no readable log.json.`);
  return { ...files, recordsPerSegment: manifest.recordsPerSegment };
}

/** Every record from an index on, oldest first. */
export function* recordsFrom(dir: string, from = 0): Generator<Logged> {
  const files = openFolder(dir);
  for (const segment of files.segments) {
    let index = segment * files.recordsPerSegment;
    if (index + files.recordsPerSegment <= from) continue;
    for (const { bytes, whole } of linesOf(files.records(segment))) {
      if (!whole) break;
      if (index >= from) yield { index, text: bytes.toString("utf8") };
      index += 1;
    }
  }
}

/** Records as they are written, from an index on, until the signal is aborted. */
export async function* follow(dir: string, from: number, signal: AbortSignal): AsyncGenerator<Logged> {
  const { recordsPerSegment } = openFolder(dir);
  let next = from;
  let place: Place | undefined;
  while (!signal.aborted) {
    place ??= placeAt(dir, recordsPerSegment, next);
    let read = 0;
    for (const text of place === undefined ? [] : newLines(place)) {
      yield { index: next, text };
      next += 1;
      read += 1;
      if (next % recordsPerSegment === 0) break;
    }
    if (place !== undefined && next === (place.segment + 1) * recordsPerSegment) place = undefined;
    if (read === 0) await sleep(200, undefined, { signal }).catch(() => {});
  }
}

interface Place {
  readonly segment: number;
  readonly path: string;
  offset: number;
}

/** Where a record is or will be in its file; undefined while the file is not there yet. */
function placeAt(dir: string, recordsPerSegment: number, index: number): Place | undefined {
  const segment = Math.floor(index / recordsPerSegment);
  const path = join(dir, `${segmentName(segment)}.jsonl`);
  if (!existsSync(path)) return undefined;
  const place = { segment, path, offset: 0 };
  for (let skip = index % recordsPerSegment; skip > 0; ) {
    const before = skip;
    for (const _ of newLines(place)) if (--skip === 0) break;
    if (skip === before) return undefined;
  }
  return place;
}

/** Whole lines after a place, which moves past each as it is taken. */
function* newLines(place: Place): Generator<string> {
  const piece = Buffer.allocUnsafe(1024 * 1024);
  for (;;) {
    const fd = openSync(place.path, "r");
    let count: number;
    try {
      count = readSync(fd, piece, 0, piece.length, place.offset);
    } finally {
      closeSync(fd);
    }
    let start = 0;
    for (let end = piece.indexOf(0x0a); end >= 0 && end < count; end = piece.indexOf(0x0a, start)) {
      const text = piece.toString("utf8", start, end);
      place.offset += end + 1 - start;
      start = end + 1;
      yield text;
    }
    if (start === 0) return;
  }
}
