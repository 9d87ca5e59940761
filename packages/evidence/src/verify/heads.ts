import { type Checkpoint, openCheckpoint, parseCheckpoint } from "../checkpoint/checkpoint.ts";
import type { NoteVerifier } from "../checkpoint/signed-note.ts";
import type { Finding } from "./finding.ts";
import { noteOfLine } from "./log-files.ts";

/** The checkpoints of a folder, by size. */
export function readHeads(text: string | undefined, verifier: NoteVerifier): { heads: Checkpoint[]; finding: Finding | undefined } {
  const heads: Checkpoint[] = [];
  const lines = (text ?? "").split("\n");
  lines.pop(); // after the last line break: nothing, or what a stop in mid-write left
  for (const [at, line] of lines.entries()) {
    const note = noteOfLine(line);
    const head = note === undefined ? undefined : openCheckpoint(note, verifier);
    if (head === undefined) {
      const size = note === undefined ? undefined : parseCheckpoint(note)?.size;
      const index = size ?? heads.at(-1)?.size ?? 0;
      const sentence = `Line ${at + 1} of checkpoints.jsonl is not signed by ${verifier.name}: it was edited, or signed with another key.`;
      return { heads, finding: { what: "checkpoint", index, sentence } };
    }
    heads.push(head);
  }
  heads.sort((a, b) => a.size - b.size);
  const twin = heads.findIndex(
    (head, at) => at > 0 && head.size === heads[at - 1]?.size && !head.root.equals((heads[at - 1] as Checkpoint).root),
  );
  return { heads, finding: twin < 0 ? undefined : forked(heads[twin - 1] as Checkpoint, heads[twin] as Checkpoint) };
}

export function forked(one: Checkpoint, other: Checkpoint): Finding {
  const size = Math.min(one.size, other.size);
  const heads = [describe(one), describe(other)] as const;
  const sentence = `The log was forked at or before record ${size - 1}: ${heads[0]} and ${heads[1]} are both signed and contradict each other.`;
  return { what: "forked", index: size - 1, heads, sentence };
}

const describe = ({ size, root }: Checkpoint): string => `${size} records with root ${root.toString("base64")}`;
