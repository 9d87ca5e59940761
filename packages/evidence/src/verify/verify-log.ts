import { type Checkpoint, openCheckpoint } from "../checkpoint/checkpoint.ts";
import { type NoteVerifier, parseVerifierKey } from "../checkpoint/signed-note.ts";
import { Frontier } from "../merkle/frontier.ts";
import type { HashText } from "../merkle/hash.ts";
import { type Found, lookAhead, nameDifference, truncated } from "./compare.ts";
import type { Finding, Verification } from "./finding.ts";
import { forked, readHeads } from "./heads.ts";
import { type Line, linesOf } from "./lines.ts";
import { type LogFiles, type LogManifest, parseManifest, segmentName } from "./log-files.ts";
import { placeOf, uidOf } from "./place.ts";

export interface VerifyOptions {
  /** The key that signs checkpoints, kept outside the folder; without it the folder's own word is taken. */
  key?: NoteVerifier | undefined;
  /** A signed checkpoint that was kept elsewhere: the second topic, a witness, a printout. */
  outsideCheckpoint?: string | undefined;
}

/**
 * Proves an evidence log against its signed checkpoints, offline, and names the first record that was edited, dropped,
 * inserted, duplicated, reordered, or cut off, or the two heads of a fork.
 *
 * The leaf hashes kept beside the records are believed only where the signed roots follow from them. Where they do, each
 * record is compared with its own leaf; where somebody rewrote them too, the records themselves are hashed up to each
 * signed root, which tells the stretch, and journals' sequence numbers tell the record.
 */
export function verifyLog(files: LogFiles, options: VerifyOptions = {}): Verification {
  const manifest = files.manifest === undefined ? undefined : parseManifest(files.manifest);
  if (manifest === undefined)
    return { kind: "unverifiable", sentence: "There is no readable log.json in this folder: it is no evidence log." };
  const key = options.key ?? parseVerifierKey(manifest.verifierKey);
  if (key === undefined) return { kind: "unverifiable", sentence: "The log names no readable key; give its verifier key." };
  if (key.name !== manifest.origin) {
    return {
      kind: "unverifiable",
      sentence: `The key is for ${key.name}, and the log says it is ${manifest.origin}: that is another log's key.`,
    };
  }
  const outside = options.outsideCheckpoint === undefined ? undefined : openCheckpoint(options.outsideCheckpoint, key);
  if (options.outsideCheckpoint !== undefined && outside === undefined) {
    return { kind: "unverifiable", sentence: `The checkpoint from outside is not signed by ${key.name}.` };
  }
  return new Verifier(files, manifest, key, outside).run();
}

/** A head and what the log's own root at its size is. */
interface Checked {
  readonly head: Checkpoint;
  readonly outside: boolean;
  readonly matches: boolean;
}

class Verifier {
  readonly #files: LogFiles;
  readonly #manifest: LogManifest;
  readonly #key: NoteVerifier;
  readonly #outside: Checkpoint | undefined;

  constructor(files: LogFiles, manifest: LogManifest, key: NoteVerifier, outside: Checkpoint | undefined) {
    this.#files = files;
    this.#manifest = manifest;
    this.#key = key;
    this.#outside = outside;
  }

  run(): Verification {
    const { heads, finding } = readHeads(this.#files.checkpoints, this.#key);
    const all = [
      ...heads.map((head) => ({ head, outside: false })),
      ...(this.#outside === undefined ? [] : [{ head: this.#outside, outside: true }]),
    ];
    all.sort((a, b) => a.head.size - b.head.size);
    const twin = this.#outside === undefined ? undefined : heads.find(({ size }) => size === this.#outside?.size);
    if (twin !== undefined && !twin.root.equals((this.#outside as Checkpoint).root))
      return this.#altered(forked(twin, this.#outside as Checkpoint));
    const stored = this.#stored();
    const { checked: fromLeaves, tree } = checkRoots(all, stored.all());
    const fork = forkIn(fromLeaves);
    if (fork !== undefined) return this.#altered(fork);
    const signed = all.at(-1)?.head.size ?? 0;
    const difference =
      signed === 0 || fromLeaves.every(({ matches }) => matches) ? this.#compare(stored, signed) : this.#stretch(all, stored.size, signed);
    if (difference !== undefined) return this.#altered(difference);
    return finding === undefined ? this.#intact(heads.length, signed, tree) : this.#altered(finding);
  }

  #altered(finding: Finding): Verification {
    return { kind: "altered", origin: this.#manifest.origin, finding, sentence: finding.sentence };
  }

  #intact(checkpoints: number, signed: number, tree: Frontier): Verification {
    const anchored = this.#outside !== undefined;
    const unsigned = Math.max(0, this.#count - signed);
    const sentence = [
      `${this.#count} records are as they were signed (${checkpoints} checkpoints).`,
      unsigned === 0 ? "" : ` The last ${unsigned} are not covered by a checkpoint yet.`,
      anchored
        ? ` Nothing up to the checkpoint from outside (${this.#outside?.size} records) is missing.`
        : " Without a checkpoint kept elsewhere, truncation of the end cannot be excluded.",
    ].join("");
    const { origin } = this.#manifest;
    return { kind: "intact", origin, size: this.#count, root: tree.root().toString("base64"), checkpoints, unsigned, anchored, sentence };
  }

  #count = 0;

  /** The leaf hashes that lie beside the records. */
  #stored() {
    const per = this.#manifest.recordsPerSegment;
    const files = this.#files;
    const last = files.segments.at(-1) ?? -1;
    const segments: (Buffer | undefined)[] = [];
    for (let segment = 0; segment <= last || files.leaves(segment) !== undefined; segment++) segments.push(files.leaves(segment));
    let size = 0;
    for (const leaves of segments) {
      const count = Math.floor((leaves?.length ?? 0) / 32);
      size += Math.min(count, per);
      if (count < per) break;
    }
    const leaf = (index: number): HashText => {
      const at = (index % per) * 32;
      return (segments[Math.floor(index / per)] as Buffer).toString("latin1", at, at + 32);
    };
    return {
      size,
      leaf,
      *all(): Generator<HashText> {
        for (let index = 0; index < size; index++) yield leaf(index);
      },
    };
  }

  /** Every record against its own leaf. */
  #compare(stored: { size: number; leaf(index: number): HashText }, signed: number): Finding | undefined {
    const per = this.#manifest.recordsPerSegment;
    const last = Math.max(this.#files.segments.at(-1) ?? -1, Math.ceil(stored.size / per) - 1);
    const places = new Places();
    for (let segment = 0; segment <= last; segment++) {
      const first = segment * per;
      const end = Math.min(stored.size, first + per);
      const ends = !this.#files.segments.some((number) => number > segment);
      let at = first;
      const lines = this.#files.segments.includes(segment) ? linesOf(this.#files.records(segment)) : linesOf([]);
      for (let next = lines.next(); next.done !== true; next = lines.next()) {
        const line = next.value;
        if (at >= end && !line.whole) break; // what a stop in mid-write left
        if (!line.whole && ends) return truncated(at, Math.max(stored.size, signed));
        if (at >= end || stored.leaf(at) !== line.leaf) {
          if (at >= Math.max(end, signed)) {
            const twin = nameDifference(at, stored, [found(line)], ends);
            if (twin.what === "duplicated" || at - first >= per) return twin;
            at += 1; // written and not signed yet
            continue;
          }
          return nameDifference(at, stored, [found(line), ...ahead(lines)], ends);
        }
        const gap = places.next(line, at);
        if (gap !== undefined) return gap;
        at += 1;
      }
      if (at < end) return ends ? truncated(at, Math.max(stored.size, signed)) : nameDifference(at, stored, [], ends);
      this.#count = at;
    }
    return this.#count < signed ? truncated(this.#count, signed) : undefined;
  }

  /** Where the leaves are not the signed ones: up to which signed root the records themselves are right. */
  #stretch(heads: readonly { head: Checkpoint; outside: boolean }[], leaves: number, signed: number): Finding | undefined {
    const places = new Places();
    const tree = new Frontier();
    let right = 0;
    let next = 0;
    let suspect: Finding | undefined;
    for (const [segment, number] of this.#files.segments.entries()) {
      if (segment !== number)
        return { what: "dropped", index: tree.size, sentence: `${segmentName(segment)}.jsonl is missing, with record ${tree.size}.` };
      for (const line of linesOf(this.#files.records(number))) {
        if (!line.whole) break;
        suspect ??= places.next(line, tree.size);
        tree.addText(line.leaf);
        this.#count = tree.size;
        for (; heads[next]?.head.size === tree.size; next++) {
          const { head } = heads[next] as { head: Checkpoint };
          if (head.root.equals(tree.root())) {
            right = head.size;
            continue;
          }
          if (suspect !== undefined) return suspect;
          const to = head.size - 1;
          const sentence = `${right === to ? `Record ${right}` : `One of the records ${right} to ${to}`} was edited, and its leaf hash with it: the signed root of ${head.size} records does not follow.`;
          return { what: "edited", index: right, to, sentence };
        }
      }
    }
    if (suspect !== undefined) return suspect;
    if (tree.size < signed) return truncated(tree.size, signed);
    return {
      what: "leaves",
      index: Math.min(right, leaves),
      sentence: "The records are as they were signed; the .leaves files beside them are not. Rebuild those from the records.",
    };
  }
}

/** Sequence numbers of each journal rise by one in the log, whatever else happens. */
class Places {
  readonly #last = new Map<string, bigint>();

  next(line: Line, index: number): Finding | undefined {
    const place = placeOf(line.bytes);
    if (place === undefined) return undefined;
    const last = this.#last.get(place.journal);
    this.#last.set(place.journal, place.sequence);
    if (last === undefined || place.sequence === last + 1n) return undefined;
    const uid = uidOf(line.bytes);
    const which = `entry ${place.sequence} of journal ${place.journal} follows entry ${last}`;
    if (place.sequence === last) return { what: "duplicated", index, uid, sentence: `Record ${index} stands twice: ${which}.` };
    if (place.sequence < last) return { what: "reordered", index, uid, sentence: `Record ${index} is out of order: ${which}.` };
    return { what: "dropped", index, uid, sentence: `Records before ${index} were dropped: ${which}.` };
  }
}

const found = (line: Line): Found => ({ leaf: line.leaf, uid: uidOf(line.bytes) });

function* ahead(lines: Iterator<Line>): Generator<Found> {
  for (let count = 0; count < lookAhead; count++) {
    const next = lines.next();
    if (next.done === true) return;
    yield found(next.value);
  }
}

function checkRoots(heads: readonly { head: Checkpoint; outside: boolean }[], leaves: Iterable<HashText>) {
  const tree = new Frontier();
  const checked: Checked[] = [];
  const check = () => {
    for (let next = heads[checked.length]; next !== undefined && next.head.size === tree.size; next = heads[checked.length]) {
      checked.push({ ...next, matches: next.head.root.equals(tree.root()) });
    }
  };
  check();
  for (const leaf of leaves) {
    tree.addText(leaf);
    check();
  }
  const beyond = heads.slice(checked.length).map((head) => ({ ...head, matches: false }));
  return { checked: [...checked, ...beyond], tree };
}

/** A head that does not fit although a later one does: both are signed, so there were two histories. */
function forkIn(checked: readonly Checked[]): Finding | undefined {
  const odd = checked.findIndex(({ matches }) => !matches);
  const later = odd < 0 ? undefined : checked.slice(odd + 1).find(({ matches }) => matches);
  return later === undefined ? undefined : forked((checked[odd] as Checked).head, later.head);
}
