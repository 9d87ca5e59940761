import { existsSync, readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import {
  type Checkpoint,
  Frontier,
  type LogManifest,
  leafHash,
  type NoteVerifier,
  noteOfLine,
  openCheckpoint,
  parseVerifierKey,
} from "@sallyport/evidence";
import { AppendFile, readIfPresent } from "@sallyport/journal";
import { unusable } from "./manifest.ts";
import { leavesPath, lineEnds, readLeaves, readLines, recordsPath } from "./segment-file.ts";

/** What an evidence log's folder holds. */
export interface RecoveredLog {
  /** The segment that is written next. */
  readonly segment: number;
  /** Line ends of that segment. */
  readonly ends: number[];
  readonly tree: Frontier;
  /** The last signed checkpoint; undefined while there is none. */
  readonly signed: { readonly checkpoint: Checkpoint; readonly note: string } | undefined;
  /** Bytes of `checkpoints.jsonl` up to its last whole line. */
  readonly checkpointBytes: number;
}

/**
 * Reads an evidence log after a stop of any kind. A torn last line goes; whole records after the last checkpoint stay, for
 * they were accepted from a journal, and get their leaves.
 *
 * @param subtree the root of a full segment, where it is known already
 * @throws Refusal AUDIT_UNAVAILABLE where the log is not what its last checkpoint says
 */
export async function recoverLog(
  dir: string,
  manifest: LogManifest,
  subtree: (segment: number) => Buffer | undefined,
): Promise<RecoveredLog> {
  const { signed, checkpointBytes } = lastCheckpoint(dir, parseVerifierKey(manifest.verifierKey) as NoteVerifier);
  const per = manifest.recordsPerSegment;
  const numbers = readdirSync(dir)
    .flatMap((name) => /^([0-9]{8})\.jsonl$/.exec(name)?.[1] ?? [])
    .map(Number);
  const last = Math.max(0, ...numbers);
  const signedSize = signed?.checkpoint.size ?? 0;
  // A new log signs the checkpoint of the empty tree before it takes a record.
  if (signed === undefined && numbers.length > 0 && lineEnds(recordsPath(dir, 0)).ends.length > 0)
    throw unusable(dir, "it has records and no checkpoint");
  const tree = new Frontier();
  let root: Buffer | undefined = signedSize === 0 ? tree.root() : undefined;
  const add = (leaf: Buffer) => {
    tree.add(leaf);
    if (tree.size === signedSize) root = tree.root();
  };
  for (let segment = 0; segment < last; segment++) {
    const known = segment * per + per < signedSize ? subtree(segment) : undefined;
    if (known !== undefined) {
      tree.addSubtree(known, Math.log2(per));
      continue;
    }
    const leaves = readLeaves(leavesPath(dir, segment));
    if (leaves.length !== per) throw unusable(dir, `segment ${segment} has ${leaves.length} leaves instead of ${per}`);
    for (const leaf of leaves) add(leaf);
  }
  const ends = await mendLast(dir, last, Math.max(0, signedSize - last * per), add);
  if (tree.size < signedSize) throw unusable(dir, `it has ${tree.size} records, and its last checkpoint says ${signedSize}`);
  if (signed !== undefined && root?.equals(signed.checkpoint.root) !== true)
    throw unusable(dir, "its records do not give the root that was signed");
  return { segment: last, ends, tree, signed, checkpointBytes };
}

/** Cuts a torn line off the last segment and gives every whole record its leaf. */
async function mendLast(dir: string, segment: number, signed: number, add: (leaf: Buffer) => void): Promise<number[]> {
  const path = recordsPath(dir, segment);
  const { ends, torn } = lineEnds(path);
  if (torn > 0) truncateSync(path, ends.at(-1) ?? 0);
  const leaves = readLeaves(leavesPath(dir, segment)).slice(0, Math.min(signed, ends.length));
  for (const leaf of leaves) add(leaf);
  const unsigned = ends.length > leaves.length ? readLines(path, ends, leaves.length, ends.length).map(leafHash) : [];
  for (const leaf of unsigned) add(leaf);
  if (existsSync(path)) {
    const file = await AppendFile.open(leavesPath(dir, segment), existsSync(leavesPath(dir, segment)) ? "r+" : "w+");
    await file.append(Buffer.concat(unsigned), leaves.length * 32);
    await file.truncate(ends.length * 32);
    await file.close();
  }
  return ends;
}

function lastCheckpoint(dir: string, key: NoteVerifier): Pick<RecoveredLog, "signed" | "checkpointBytes"> {
  const text = readIfPresent(join(dir, "checkpoints.jsonl")) ?? "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const checkpointBytes = Buffer.byteLength(whole);
  const line = whole.slice(0, -1).split("\n").at(-1) ?? "";
  if (line === "") return { signed: undefined, checkpointBytes };
  const note = noteOfLine(line);
  const checkpoint = note === undefined ? undefined : openCheckpoint(note, key);
  if (note === undefined || checkpoint === undefined) throw unusable(dir, "its last checkpoint is not signed by its key");
  return { signed: { checkpoint, note }, checkpointBytes };
}
