import type { Hash } from "../merkle/hash.ts";
import { type NoteSigner, type NoteVerifier, openNote, signNote } from "./signed-note.ts";

/** C2SP tlog-checkpoint: the tree's size and root at one moment. */
export interface Checkpoint {
  /** Names the log for ever; also the name of the key that signs. */
  readonly origin: string;
  /** Number of records. */
  readonly size: number;
  /** RFC 6962 root, 32 bytes. */
  readonly root: Hash;
}

/** The signed note: origin, size in decimal, root in base64, one a line. */
export const signCheckpoint = (checkpoint: Checkpoint, signer: NoteSigner): string =>
  signNote(`${checkpoint.origin}\n${checkpoint.size}\n${checkpoint.root.toString("base64")}\n`, signer);

/** Opens a signed checkpoint; undefined where the signature or the form is wrong, or the origin is not the verifier's. */
export function openCheckpoint(note: string, verifier: NoteVerifier): Checkpoint | undefined {
  const text = openNote(note, verifier);
  return text === undefined ? undefined : withOrigin(parseCheckpoint(text), verifier.name);
}

const withOrigin = (checkpoint: Checkpoint | undefined, origin: string) => (checkpoint?.origin === origin ? checkpoint : undefined);

/** Reads a checkpoint's text without looking at signatures. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin, size, root] = text.split("\n");
  if (origin === undefined || origin === "" || size === undefined || root === undefined) return undefined;
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(size) || !/^[A-Za-z0-9+/]{43}=$/.test(root)) return undefined;
  const number = Number(size);
  return Number.isSafeInteger(number) ? { origin, size: number, root: Buffer.from(root, "base64") } : undefined;
}
