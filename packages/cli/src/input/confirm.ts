import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { Refusal } from "@sallyport/contracts";

/** Asks on the terminal; anything but a yes, an end of input included, is a no. @param flag what says yes where nobody can be asked */
export async function confirm(question: string, flag: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Refusal("INVALID_REQUEST", `Nobody can be asked here; say ${flag}.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), once(terminal, "close").then(() => "")]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
