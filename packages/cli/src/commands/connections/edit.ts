import { randomBytes } from "node:crypto";
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { printable, Refusal } from "@sallyport/contracts";
import { Option } from "commander";
import { type Document, parseDocument } from "yaml";

export const configOption = (): Option => new Option("-c, --config <file>", "the configuration").default("sallyport.yaml");

/**
 * Edits the configuration's text as a document, so that comments and order stay. What it becomes is checked as services would
 * check it, and written whole; where it is no valid configuration, nothing is written.
 *
 * @throws ConfigError with every problem of the result. @throws Refusal INVALID_REQUEST where the file cannot be read
 */
export async function editConfig(file: string, edit: (document: Document) => void): Promise<void> {
  const { parseConfig } = await import("@sallyport/service");
  const path = existing(file);
  const document = parseDocument(readFileSync(path, "utf8"));
  if (document.errors.length === 0) edit(document);
  const text = document.errors.length === 0 ? document.toString({ lineWidth: 0, flowCollectionPadding: true }) : readFileSync(path, "utf8");
  parseConfig(text, file, process.env);
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(draft, text, { mode: statSync(path).mode & 0o777, flag: "wx", flush: true });
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Adds a named setting. @throws Refusal INVALID_REQUEST where the name is taken, unless it may be replaced */
export function put(document: Document, path: readonly string[], value: object, replace = false): void {
  if (!replace && document.hasIn(path)) {
    throw new Refusal("INVALID_REQUEST", `There is a ${printable(path.join("."))} already; --replace puts this one in its place.`);
  }
  document.setIn(path, document.createNode(value, { flow: true }));
}

/** The file itself, not a link to it, which a rename would replace. */
function existing(file: string): string {
  try {
    return realpathSync(file);
  } catch (cause) {
    throw new Refusal("INVALID_REQUEST", `There is no file ${printable(file)}; \`sallyport init\` writes one, -c names another.`, {
      cause,
    });
  }
}
