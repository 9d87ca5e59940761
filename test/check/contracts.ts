import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check } from "./checks.ts";
import { root, runTool } from "./command.ts";

const generated = "packages/contracts/src/gen";
const baseline = "proto/baseline.binpb";
const sallyportOnly = ["--path", "proto/sallyport"];

/** What is committed is what the protos generate. */
export const contractsAreCurrent: Check = () =>
  inFolder(async (folder) => {
    await runTool("buf", ["generate", "-o", folder]);
    const [fresh, committed] = [filesUnder(join(folder, generated)), filesUnder(join(root, generated))];
    if (fresh.size === 0) return ["buf generated nothing"];
    return [...new Set([...fresh.keys(), ...committed.keys()])]
      .filter((name) => fresh.get(name) !== committed.get(name))
      .map((name) => `${generated}/${name} is not what the protos generate: run \`npx buf generate\``);
  });

/** Compares with the committed image; until 1.0 a break is allowed with its line in CHANGELOG.md and a new image. */
export const contractsDoNotBreak: Check = () =>
  inFolder(async (folder) => {
    const remake = `npx buf build ${sallyportOnly.join(" ")} -o ${baseline}`;
    if (!existsSync(join(root, baseline))) return [`${baseline} is missing: run \`${remake}\``];
    const image = join(folder, "image.binpb");
    await runTool("buf", ["build", ...sallyportOnly, "-o", image]);
    try {
      await runTool("buf", ["breaking", image, "--against", baseline, "--config", '{"version":"v2","breaking":{"use":["FILE"]}}']);
      return [];
    } catch (error) {
      return [(error as Error).message, `Where the break is meant: a line in CHANGELOG.md, then \`${remake}\``];
    }
  });

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-check-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function filesUnder(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
