import { hash } from "node:crypto";
import type { HashText } from "../merkle/hash.ts";

/** A record of a log file. Its bytes are only good until the next one is asked for. */
export interface Line {
  readonly leaf: HashText;
  /** Without the line break. */
  readonly bytes: Buffer;
  /** Whether a line break follows; only a torn last line has none. */
  readonly whole: boolean;
}

const lineBreak = 0x0a;

/** The lines of a file that comes in pieces, each with its leaf hash (RFC 6962 §2.1). */
export function* linesOf(pieces: Iterable<Buffer>): Generator<Line> {
  let rest = Buffer.alloc(0);
  for (const piece of pieces) {
    // One spare byte in front: the leaf prefix 0x00 is written over the byte before a line, which saves copying every record.
    const bytes = Buffer.concat([Buffer.alloc(1), rest, piece]);
    let start = 1;
    for (let end = bytes.indexOf(lineBreak, start); end >= 0; end = bytes.indexOf(lineBreak, start)) {
      bytes[start - 1] = 0;
      yield { leaf: hash("sha256", bytes.subarray(start - 1, end), "latin1"), bytes: bytes.subarray(start, end), whole: true };
      start = end + 1;
    }
    rest = Buffer.from(bytes.subarray(start));
  }
  if (rest.length > 0) {
    yield { leaf: hash("sha256", Buffer.concat([Buffer.alloc(1), rest]), "latin1"), bytes: rest, whole: false };
  }
}
