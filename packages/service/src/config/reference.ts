import { readFileSync } from "node:fs";
import { Refusal } from "@sallyport/contracts";

const maxBytes = 65_536;

/**
 * The secret that a reference of the configuration points at. One line break at the end is not part of it.
 *
 * @param reference `env:NAME` or `file:PATH` (absolute by now)
 * @param what the setting, for the sentence: `stores.vault.auth.token`
 * @throws Refusal INVALID_REQUEST where it is not set, empty, unreadable or over 64 KiB
 */
export function resolveReference(reference: string, what: string, env: NodeJS.ProcessEnv = process.env): string {
  const value = reference.startsWith("env:") ? env[reference.slice(4)] : readReferenced(reference.slice(5), what);
  if (value === undefined)
    throw new Refusal("INVALID_REQUEST", `${what}: the environment has no ${reference.slice(4)}; set it and start again.`);
  const trimmed = value.replace(/\r?\n$/, "");
  if (trimmed === "") throw new Refusal("INVALID_REQUEST", `${what}: ${reference} is empty; put the value there and start again.`);
  return trimmed;
}

function readReferenced(path: string, what: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === "ENOENT" ? "does not exist" : code === "EACCES" ? "may not be read by this user" : `cannot be read (${code})`;
    throw new Refusal("INVALID_REQUEST", `${what}: the file ${path} ${why}.`, { cause });
  }
  if (bytes.length > maxBytes)
    throw new Refusal("INVALID_REQUEST", `${what}: the file ${path} is larger than 64 KiB; it cannot be the right one.`);
  return bytes.toString("utf8");
}
