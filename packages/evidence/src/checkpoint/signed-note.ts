import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";

/**
 * C2SP signed-note: a text that ends in a line break, an empty line, and signature lines `— <name> <base64>`, where the
 * base64 holds a 4-byte key id and, for Ed25519, the 64-byte signature over the text. A key's id is the first 4 bytes of
 * SHA-256(name || "\n" || 0x01 || public key).
 */
export interface NoteVerifier {
  readonly name: string;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

export interface NoteSigner extends NoteVerifier {
  readonly key: KeyObject;
}

const algorithm = 0x01;
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** A name without spaces, plus signs, or characters that a reader cannot see. */
const isKeyName = (name: string): boolean => /^[^\s+\p{C}]+$/u.test(name);

/** The 4-byte key id. */
export function keyId({ name, publicKey }: NoteVerifier): Buffer {
  return hash("sha256", Buffer.concat([Buffer.from(`${name}\n`, "utf8"), Uint8Array.of(algorithm), publicKey]), "buffer").subarray(0, 4);
}

/** A raw Ed25519 public key as Node takes it. */
export const ed25519PublicKey = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: "der", type: "spki" });

/** The raw 32 bytes of an Ed25519 key's public half. */
export const rawPublicKey = (key: KeyObject): Buffer =>
  Buffer.from((key.type === "private" ? createPublicKey(key) : key).export({ format: "der", type: "spki" }).subarray(spkiPrefix.length));

/** A signer from an Ed25519 private key. @throws TypeError for another kind of key or a name that a note cannot carry */
export function noteSigner(name: string, key: KeyObject): NoteSigner {
  if (key.type !== "private" || key.asymmetricKeyType !== "ed25519") throw new TypeError("a checkpoint key must be an Ed25519 private key");
  if (!isKeyName(name)) throw new TypeError("a note key's name has no spaces and no plus sign");
  return { name, key, publicKey: rawPublicKey(key) };
}

/** A signer from the 32-byte Ed25519 seed. */
export const noteSignerFromSeed = (name: string, seed: Uint8Array): NoteSigner =>
  noteSigner(name, createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" }));

/** The verifier as one line of text: `<name>+<key id, hex>+<base64(0x01 || public key)>`. */
export const verifierKey = (verifier: NoteVerifier): string =>
  `${verifier.name}+${keyId(verifier).toString("hex")}+${Buffer.concat([Uint8Array.of(algorithm), verifier.publicKey]).toString("base64")}`;

/** Reads {@link verifierKey}'s text; undefined where it is malformed or its key id does not fit. */
export function parseVerifierKey(text: string): NoteVerifier | undefined {
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim());
  if (parts === null) return undefined;
  const key = Buffer.from(parts[3] as string, "base64");
  if (key.length !== 33 || key[0] !== algorithm) return undefined;
  const verifier = { name: parts[1] as string, publicKey: Uint8Array.from(key.subarray(1)) };
  return isKeyName(verifier.name) && keyId(verifier).toString("hex") === parts[2] ? verifier : undefined;
}

/** Signs a text that ends in a line break. */
export function signNote(text: string, signer: NoteSigner): string {
  if (!text.endsWith("\n")) throw new TypeError("a note's text ends in a line break");
  const signature = Buffer.concat([keyId(signer), sign(null, Buffer.from(text, "utf8"), signer.key)]);
  return `${text}\n— ${signer.name} ${signature.toString("base64")}\n`;
}

/**
 * The note's text, where one of its signatures is by the verifier's key; undefined otherwise. Signatures by other keys are
 * passed over; a wrong one under the verifier's own name and id makes the note bad.
 */
export function openNote(note: string, verifier: NoteVerifier): string | undefined {
  const end = note.lastIndexOf("\n\n");
  if (end < 0 || !note.endsWith("\n") || note.length > 1_000_000) return undefined;
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split("\n");
  const id = keyId(verifier);
  const key = ed25519PublicKey(verifier.publicKey);
  let good = false;
  for (const line of lines) {
    const parts = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/.exec(line);
    if (parts === null) return undefined;
    const bytes = Buffer.from(parts[2] as string, "base64");
    if (bytes.length < 5) return undefined;
    if (parts[1] !== verifier.name || !bytes.subarray(0, 4).equals(id)) continue;
    if (!verify(null, Buffer.from(text, "utf8"), key, bytes.subarray(4))) return undefined;
    good = true;
  }
  return good ? text : undefined;
}
