import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { root } from "../check/command.ts";
import { scratchFolder } from "../support/process/scratch.ts";
import { pack } from "./pack.ts";
import { packages } from "./packages.ts";
import { write } from "./write.ts";

/** A folder elsewhere in which a tarball was installed from the registry that this machine uses, as a user would. */
export async function installed(name: string): Promise<string> {
  const packed = packages.find((one) => one.name === name);
  if (packed === undefined) throw new Error(`${name} is not packed`);
  const folder = scratchFolder("installed");
  const tarball = await pack(packed, folder);
  write(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const registry = (await run("npm", ["config", "get", "registry"], root)).trim();
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--registry", registry, tarball], folder);
  return folder;
}

/** The machine's own Node, rather than the one that npm scripts bring; that one where there is no other. */
export function systemNode(): string {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder === "" || folder.includes("node_modules")) continue;
    try {
      accessSync(join(folder, "node"), constants.X_OK);
      return join(folder, "node");
    } catch {
      // Not here.
    }
  }
  return process.execPath;
}

export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(command, [...args], {
    cwd,
    env: { ...process.env, NO_COLOR: "1" },
    timeout: 180_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}
