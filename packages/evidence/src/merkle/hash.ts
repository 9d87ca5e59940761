import { hash } from "node:crypto";

/** A SHA-256 value, 32 bytes. */
export type Hash = Buffer;

const leafPrefix = Uint8Array.of(0);

/** RFC 6962 §2.1: the hash of an entry, SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Hash {
  return hash("sha256", Buffer.concat([leafPrefix, entry]), "buffer");
}

/** Reused: hashing is synchronous, and this is the hottest line of verification. */
const node = Buffer.alloc(65);
node[0] = 1;

/** RFC 6962 §2.1: the hash of an inner node, SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Hash {
  node.set(left, 1);
  node.set(right, 33);
  return hash("sha256", node, "buffer");
}

/** RFC 6962 §2.1: the root of the empty tree, SHA-256 of nothing. */
export const emptyRoot: Hash = hash("sha256", new Uint8Array(), "buffer");
