import type { ProveResponse } from "@sallyport/contracts";
import { leafHash, openCheckpoint, parseCheckpoint, verifyInclusion } from "@sallyport/evidence";

/**
 * Whether an evidence log proves that it holds a record at an index (RFC 9162 §2.1.3.2): by a path from the record's own bytes to
 * the root of a checkpoint.
 *
 * @param publicKey raw Ed25519 key that must have signed the checkpoint; without it only its form is looked at
 */
export function isProven(
  record: Uint8Array,
  index: bigint,
  { checkpoint, path }: Pick<ProveResponse, "checkpoint" | "path">,
  publicKey?: Uint8Array,
): boolean {
  const read = parseCheckpoint(checkpoint);
  const opened = publicKey === undefined || read === undefined ? read : openCheckpoint(checkpoint, { name: read.origin, publicKey });
  if (opened === undefined) return false;
  const steps = path.map((step) => Buffer.from(step));
  return verifyInclusion(steps, leafHash(record), Number(index), opened.size, opened.root);
}
