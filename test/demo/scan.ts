import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { scanFor } from "@sallyport/masking";

/** Looks for the canary, in every encoding, in every file below a folder. */
export function scanFolder(folder: string, canary: string): { scanned: number; bytes: number; findings: string[] } {
  let scanned = 0;
  let bytes = 0;
  const findings: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = readFileSync(path);
    scanned++;
    bytes += content.length;
    for (const { encoding, offset } of scanFor(canary, content)) findings.push(`${relative(folder, path)} at ${offset} (${encoding})`);
  }
  return { scanned, bytes, findings };
}
