import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileProblem, StartError } from "../process/start-error.ts";

/** The folder of an installation's keys. */
export const keysFolder = (dataDir: string): string => join(dataDir, "keys");

/**
 * A key or certificate of the installation.
 *
 * @param name of the file in `<dataDir>/keys`, such as `broker.key`
 * @throws StartError that says what to do
 */
export function readKey(dataDir: string, name: string): Buffer {
  const path = join(keysFolder(dataDir), name);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const problem = fileProblem(cause) ?? `${path} cannot be read`;
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new StartError(
      `The key file ${problem}; ${missing ? "run sallyport init once, and give each service its files from there" : "give it to the user that runs Sallyport"}.`,
      {
        cause,
      },
    );
  }
  if (bytes.length === 0) throw new StartError(`The key file ${path} is empty; restore it from where sallyport init made it.`);
  return bytes;
}
