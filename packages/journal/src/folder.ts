import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readIfPresent, replaceFile } from "./durable-file.ts";
import { chainStart } from "./entry.ts";
import type { Removed } from "./recover.ts";

/** The journal's id, made once for its folder: `<service>-<random>`. */
export function identityOf(dir: string, service: string): string {
  const path = join(dir, "journal.json");
  const kept = readIfPresent(path);
  if (kept !== undefined) return (JSON.parse(kept) as { id: string }).id;
  const id = `${service}-${randomBytes(10).toString("hex")}`;
  replaceFile(path, JSON.stringify({ format: 1, id }));
  return id;
}

/** The last entry that went with its segment; the start of the chain where none did. */
export function removedOf(dir: string): Removed {
  const kept = readIfPresent(join(dir, "removed.json"));
  if (kept === undefined) return { sequence: 0n, chain: chainStart, bootKey: undefined };
  const { sequence, chain, bootKey } = JSON.parse(kept) as { sequence: string; chain: string; bootKey?: string };
  return {
    sequence: BigInt(sequence),
    chain: Buffer.from(chain, "hex"),
    bootKey: bootKey === undefined ? undefined : Buffer.from(bootKey, "hex"),
  };
}

export function keepRemoved(dir: string, { sequence, chain, bootKey }: Removed): void {
  const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");
  replaceFile(join(dir, "removed.json"), JSON.stringify({ sequence: sequence.toString(), chain: hex(chain), bootKey: hex(bootKey) }));
}
