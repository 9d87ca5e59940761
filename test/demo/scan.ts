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
    for (const { encoding, offset } of parts(content).flatMap((part) => scanFor(canary, part)))
      findings.push(`${relative(folder, path)} at ${offset} (${encoding})`);
  }
  return { scanned, bytes, findings };
}

/** A file's content without its long runs of zeros, such as the room that a journal keeps in reserve; no secret has one. */
function parts(content: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let start = 0; start < content.length; ) {
    const gap = content.indexOf(zeros, start);
    found.push(content.subarray(start, gap < 0 ? content.length : gap));
    if (gap < 0) break;
    start = gap + zeros.length;
    while (start < content.length && content[start] === 0) start++;
  }
  return found.filter((part) => part.length > 0);
}

const zeros = Buffer.alloc(4096);
