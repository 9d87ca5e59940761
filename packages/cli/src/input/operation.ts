import { printable, Refusal } from "@sallyport/contracts";
import type { UseOperation } from "@sallyport/sdk";
import type { Command } from "commander";
import { collect } from "./collect.ts";
import { readStdin } from "./stdin.ts";

export interface OperationOptions {
  readonly target: string;
  readonly secret?: string;
  readonly method: string;
  readonly path: string;
  readonly header: readonly string[];
  readonly dataStdin?: true;
}

/** Configurations may allow a target more than the usual 64 MiB; the broker has the last word. */
const maxBodyBytes = 1024 * 1024 * 1024;

export const withOperationOptions = (command: Command): Command =>
  command
    .requiredOption("--target <name>", "where the secret is used")
    .option("--secret <name>", "which; may be left out where the target has exactly one")
    .option("--method <method>", "the HTTP method", "GET")
    .requiredOption("--path <path>", "below the target's base URL, with query: /v1/orders/42?expand=lines")
    .option("--header <header>", '"name: value" (repeatable)', collect, [])
    .option("--data-stdin", "standard input is the request's body");

/** @throws Refusal INVALID_REQUEST where a header is none */
export async function operationOf(options: OperationOptions): Promise<UseOperation> {
  const { target, secret, path } = options;
  const headers = Object.fromEntries(options.header.map(parseHeader));
  if (Object.keys(headers).length < options.header.length) throw new Refusal("INVALID_REQUEST", "A header was given twice; give it once.");
  const body = options.dataStdin === true ? await readStdin("Type the body", maxBodyBytes) : undefined;
  return { target, secret, method: options.method.toUpperCase(), path, headers, body };
}

function parseHeader(text: string): [string, string] {
  const at = text.indexOf(":");
  if (at > 0) return [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()];
  throw new Refusal("INVALID_REQUEST", `"${printable(text, 40)}" is no header; write "name: value".`);
}
