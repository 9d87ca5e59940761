import { createHmac } from "node:crypto";

/**
 * A version for stores that have none: a keyed hash of what is there, so that another value always has another version, brokers
 * of one installation agree on it, and nobody else can test a guess against it.
 *
 * @param key the installation's own; never the value's fingerprint key
 */
export function contentVersion(key: Uint8Array, fields: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHmac("sha256", key);
  for (const [name, value] of [...fields].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32BE(Buffer.byteLength(name), 0);
    lengths.writeUInt32BE(value.length, 4);
    hash.update(lengths).update(name).update(value);
  }
  return `c${hash.digest("hex").slice(0, 24)}`;
}
