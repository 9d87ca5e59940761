import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Check } from "./checks.ts";
import { root } from "./command.ts";

/** The lock file names no registry, so that any mirror serves it; what it links inside the repository stays. */
export const lockNamesNoHost: Check = async () => {
  const { packages } = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { resolved?: string }>;
  };
  return Object.entries(packages)
    .filter(([, { resolved }]) => resolved?.includes("://"))
    .map(
      ([name]) => `package-lock.json names a host for ${name}: run \`npm install --package-lock-only --omit-lockfile-registry-resolved\``,
    );
};
