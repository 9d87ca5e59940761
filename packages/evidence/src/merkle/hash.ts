import { hash } from "node:crypto";

/** A SHA-256 value, 32 bytes. */
export type Hash = Buffer;

/**
 * A SHA-256 value as a string of 32 characters, one a byte (Latin-1). Node makes one several times faster than a Buffer, and
 * hashing is most of what verification does.
 */
export type HashText = string;

const leafPrefix = Uint8Array.of(0);

/** RFC 6962 §2.1: the hash of an entry, SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Hash {
  return hash("sha256", Buffer.concat([leafPrefix, entry]), "buffer");
}

/** RFC 6962 §2.1: the hash of an inner node, SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Hash {
  node.set(left, 1);
  node.set(right, 33);
  return hash("sha256", node, "buffer");
}

/** {@link nodeHash} of texts. */
export function nodeHashText(left: HashText, right: HashText): HashText {
  node.write(left, 1, "latin1");
  node.write(right, 33, "latin1");
  return hash("sha256", node, "latin1");
}

/** Reused, as hashing is synchronous. */
const node = Buffer.alloc(65);
node[0] = 1;

export const textOf = (value: Hash): HashText => value.toString("latin1");
export const hashOf = (text: HashText): Hash => Buffer.from(text, "latin1");

/** RFC 6962 §2.1: the root of the empty tree, SHA-256 of nothing. */
export const emptyRoot: Hash = hash("sha256", new Uint8Array(), "buffer");
