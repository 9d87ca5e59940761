import { Refusal } from "@sallyport/contracts";
import { note } from "../output/print.ts";

/**
 * All of standard input.
 *
 * @param what it is, for the person at a terminal
 * @throws Refusal TOO_LARGE over `maxBytes`
 */
export async function readStdin(what: string, maxBytes: number): Promise<Buffer> {
  if (process.stdin.isTTY) note(`${what}, then Ctrl-D:`);
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of process.stdin) {
    pieces.push(Buffer.from(piece as Uint8Array));
    size += (piece as Uint8Array).length;
    if (size > maxBytes) throw new Refusal("TOO_LARGE", `Standard input holds more than ${maxBytes} bytes.`);
  }
  return Buffer.concat(pieces);
}
