import { createInterface } from "node:readline/promises";
import { Refusal } from "@sallyport/contracts";

/** Asks on the terminal; anything but a yes is a no. @param flag what says yes where nobody can be asked */
export async function confirm(question: string, flag: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Refusal("INVALID_REQUEST", `Nobody can be asked here; say ${flag}.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
