import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { type PolicyFile, type PolicyProblem, policyLimits } from "@sallyport/cedar";

/** Most files of a bundle. */
const maxFiles = 1000;

/** A folder of policies as it was found. `signature` changes whenever a file is written, added, removed or replaced. */
export type FolderContents =
  | { readonly kind: "read"; readonly files: readonly PolicyFile[]; readonly signature: string }
  | { readonly kind: "unreadable"; readonly problems: readonly PolicyProblem[]; readonly signature: string };

/**
 * Reads every `*.cedar` file below a folder, in the order of their names. What begins with a dot is left out (editors' and
 * mounted volumes' own files). A file that cannot be read refuses the whole: a policy that is silently missing might forbid.
 */
export async function readPolicyFolder(folder: string): Promise<FolderContents> {
  const unreadable = (file: string, message: string): FolderContents => ({
    kind: "unreadable",
    problems: [{ file, line: 1, column: 1, message }],
    signature: `${file}: ${message}`,
  });
  let paths: string[];
  try {
    paths = await policyPaths(folder, new Set([await realpath(folder)]));
  } catch (error) {
    return unreadable(folder, `the folder of policies cannot be read (${codeOf(error)}); create it, or set \`policies:\` to the right one`);
  }
  if (paths.length > maxFiles) return unreadable(folder, `there are more than ${maxFiles} files of policies`);
  const files: PolicyFile[] = [];
  const marks: string[] = [];
  for (const path of paths) {
    const name = relative(folder, path);
    try {
      const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      if (size > BigInt(policyLimits.fileCharacters * 4)) return unreadable(name, "the file is too large");
      files.push({ name, text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path)) });
      marks.push(`${name}\0${ino}\0${size}\0${mtimeNs}\0${ctimeNs}`);
    } catch (error) {
      return unreadable(name, `the file cannot be read (${codeOf(error)})`);
    }
  }
  return { kind: "read", files, signature: marks.join("\n") };
}

async function policyPaths(folder: string, visited: Set<string>): Promise<string[]> {
  const paths: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (name.startsWith(".")) continue;
    const path = join(folder, name);
    // A link to nowhere is no folder; where it has a policy's name, reading it says so.
    const isFolder = (await stat(path).catch(() => lstat(path))).isDirectory();
    if (!isFolder) {
      if (name.endsWith(".cedar")) paths.push(path);
      continue;
    }
    const real = await realpath(path);
    if (visited.has(real)) continue;
    visited.add(real);
    paths.push(...(await policyPaths(path, visited)));
  }
  return paths;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "not UTF-8";
