import { type KeyObject, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "@sallyport/contracts";
import { type LogManifest, noteSigner, parseManifest, verifierKey } from "@sallyport/evidence";
import { readIfPresent, replaceFile } from "@sallyport/journal";

/**
 * The log's manifest, written when its folder is new.
 * @throws Refusal AUDIT_UNAVAILABLE where the folder's log was signed with another key
 */
export function manifestOf(dir: string, trustDomain: string, key: KeyObject, recordsPerSegment: number): LogManifest {
  const path = join(dir, "log.json");
  const text = readIfPresent(path);
  if (text === undefined) {
    if (readdirSync(dir).some((name) => /\.(jsonl|leaves)$/.test(name))) throw unusable(dir, "it has records and no log.json");
    const origin = `${trustDomain}/evidence/${randomBytes(8).toString("hex")}`;
    const manifest: LogManifest = { format: 1, origin, recordsPerSegment, verifierKey: verifierKey(noteSigner(origin, key)) };
    replaceFile(path, `${JSON.stringify(manifest)}\n`);
    return manifest;
  }
  const manifest = parseManifest(text);
  if (manifest === undefined) throw unusable(dir, "its log.json cannot be read");
  if (manifest.verifierKey !== verifierKey(noteSigner(manifest.origin, key))) {
    throw unusable(dir, "keys/checkpoint.key is not the key that signed it; restore that key, or move the folder away to begin a new log");
  }
  return manifest;
}

/** The evidence log cannot be gone on with. */
export const unusable = (dir: string, why: string) =>
  new Refusal("AUDIT_UNAVAILABLE", `The evidence log in ${dir} cannot be used: ${why}. Run \`sallyport audit verify\` on it.`);
