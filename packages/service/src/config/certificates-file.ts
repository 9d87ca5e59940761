import { readFileSync } from "node:fs";
import { Refusal } from "@sallyport/contracts";

/** The text of a file of PEM certificates. @param setting which one names it @throws Refusal INVALID_REQUEST where it cannot be read */
export function certificatesIn(path: string, setting: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Refusal("INVALID_REQUEST", `${setting}: the file ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, {
      cause,
    });
  }
}
