import { generateKeyPairSync } from "node:crypto";
import { type Checkpoint, signCheckpoint } from "../checkpoint/checkpoint.ts";
import { type NoteSigner, noteSigner, verifierKey } from "../checkpoint/signed-note.ts";
import { apiActivity } from "../classes.ts";
import { Frontier } from "../merkle/frontier.ts";
import { leafHash } from "../merkle/hash.ts";
import { evidenceRecord, finalBytes } from "../record.ts";
import { checkpointLine, type LogFiles, segmentName } from "./log-files.ts";

/** An evidence log in memory, and the means to tamper with it. */
export class TestLog {
  readonly signer: NoteSigner = noteSigner("test.internal/evidence/1", generateKeyPairSync("ed25519").privateKey);
  readonly perSegment: number;
  records: string[];
  leaves: Buffer[];
  notes: string[] = [];
  /** Segment files that were taken away. */
  readonly gone = new Set<string>();

  constructor(records: readonly string[], perSegment = 8, checkpointEvery = 3) {
    this.perSegment = perSegment;
    this.records = [...records];
    this.leaves = records.map((record) => leafHash(Buffer.from(record)));
    for (let size = checkpointEvery; size < records.length; size += checkpointEvery) this.notes.push(this.sign(size));
    if (records.length > 0) this.notes.push(this.sign(records.length));
  }

  head(size = this.leaves.length): Checkpoint {
    const tree = new Frontier();
    for (const leaf of this.leaves.slice(0, size)) tree.add(leaf);
    return { origin: this.signer.name, size, root: tree.root() };
  }

  sign(size?: number): string {
    return signCheckpoint(this.head(size), this.signer);
  }

  /** Rewrites the leaves to fit the records, as an attacker who knows the format would. */
  fitLeaves(): void {
    this.leaves = this.records.map((record) => leafHash(Buffer.from(record)));
  }

  /** The files: an edit that changes how many records there are stays within its segment's file, as on disk. */
  files(lines: readonly (readonly string[])[] = this.bySegment()): LogFiles {
    const { perSegment } = this;
    const leaves = this.leaves;
    const gone = this.gone;
    return {
      manifest: JSON.stringify({
        format: 1,
        origin: this.signer.name,
        recordsPerSegment: perSegment,
        verifierKey: verifierKey(this.signer),
      }),
      checkpoints: this.notes.map(checkpointLine).join(""),
      segments: lines.map((_, at) => at).filter((at) => !gone.has(`${segmentName(at)}.jsonl`)),
      leaves(segment) {
        const part = leaves.slice(segment * perSegment, (segment + 1) * perSegment);
        return part.length === 0 || gone.has(`${segmentName(segment)}.leaves`) ? undefined : Buffer.concat(part);
      },
      records: (segment) => pieces(Buffer.from((lines[segment] ?? []).map((line) => `${line}\n`).join(""))),
    };
  }

  bySegment(): string[][] {
    const segments: string[][] = [];
    for (let at = 0; at < this.records.length; at += this.perSegment) segments.push(this.records.slice(at, at + this.perSegment));
    return segments;
  }
}

/** Odd pieces, so that lines are cut anywhere. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777);
}

/** Records of two journals, taking turns. */
export function someRecords(count: number): string[] {
  return Array.from({ length: count }, (_, at) => {
    const draft = apiActivity("read", { event: "secret.use", status: "success", api: { operation: `GET /v1/orders/${at}` } });
    const record = evidenceRecord(draft, { service: "broker", version: "0.1.0", time: 1_790_000_000_000 + at, phase: "event" });
    return Buffer.from(finalBytes(record, at % 2 === 0 ? "broker-aa" : "authn-bb", BigInt(Math.floor(at / 2) + 1))).toString("utf8");
  });
}
