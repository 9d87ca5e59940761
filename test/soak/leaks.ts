import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { encodingsOf, Masker, MaskSet } from "@sallyport/masking";

interface Search {
  readonly spellings: readonly { readonly encoding: string; readonly bytes: Buffer }[];
  readonly masks: MaskSet;
}

const searches = new Map<string, Search>();

/** How many bytes of the canary must stand together to count as a leak of part of it. */
const pieceBytes = 12;
/** A file is read whole; what is bigger is looked at in pieces that overlap. */
const readBytes = 64 * 1024 * 1024;

/**
 * Looks for the canary quickly, in as many bytes as a soak writes: its spellings one by one, its pieces, base64 among whatever
 * stands around it, and by the masker itself, which sees through mixtures of them.
 * @returns how it is written there
 */
export function leaksIn(bytes: Buffer, canary: string): string[] {
  const { spellings, masks } = searchFor(canary);
  const found = spellings.filter((spelling) => bytes.includes(spelling.bytes)).map(({ encoding }) => encoding);
  if (found.length > 0) return found;
  const masker = new Masker(masks);
  masker.push(bytes);
  masker.end();
  return masker.count > 0 ? ["a mixture"] : [];
}

/** Every file below a folder. */
export function leaksBelow(folder: string, canary: string): { files: number; bytes: number; leaks: string[] } {
  let files = 0;
  let bytes = 0;
  const leaks: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = readFileSync(path);
    files++;
    bytes += content.length;
    for (let from = 0; from < Math.max(1, content.length); from += readBytes)
      leaks.push(
        ...leaksIn(content.subarray(Math.max(0, from - 4096), from + readBytes), canary).map(
          (encoding) => `${relative(folder, path)}: ${encoding}`,
        ),
      );
  }
  return { files, bytes, leaks };
}

function searchFor(canary: string): Search {
  let search = searches.get(canary);
  if (search === undefined) {
    const value = Buffer.from(canary);
    search = {
      spellings: [
        ...encodingsOf(canary).map(({ encoding, bytes }) => ({ encoding, bytes: Buffer.from(bytes) })),
        ...within(value),
        ...pieces(value),
      ],
      masks: MaskSet.compile([{ placeholder: "[canary]", value }]),
    };
    searches.set(canary, search);
  }
  return search;
}

/** Base64 at each alignment, without the letters that depend on what stands before and after. */
const within = (value: Buffer) =>
  (["base64", "base64url"] as const).flatMap((form) =>
    [0, 1, 2].map((before) => {
      const letters = Buffer.concat([Buffer.alloc(before), value]).toString(form);
      const inner = letters.slice(Math.ceil((before * 8) / 6), Math.floor(((before + value.length) * 8) / 6));
      return { encoding: `${form} within`, bytes: Buffer.from(inner) };
    }),
  );

const pieces = (value: Buffer) =>
  Array.from({ length: Math.floor(value.length / pieceBytes) }, (_, at) => ({
    encoding: "a piece of it",
    bytes: value.subarray(at * pieceBytes, (at + 1) * pieceBytes),
  }));
