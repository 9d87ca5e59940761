import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { root, runTool } from "../check/command.ts";
import type { Packed } from "./packages.ts";
import { write } from "./write.ts";

/** Where the declarations that a package's public ones refer to come from. */
const sources: Readonly<Record<string, string>> = {
  "@sallyport/contracts": "packages/contracts/src/index.ts",
  "@sallyport/identity/proof-maker": "packages/identity/src/proof-maker.ts",
  "@sallyport/service/client": "packages/service/src/client-entry.ts",
};

/** Writes type declarations that need none of our workspaces: those of the entries, and what they refer to. */
export async function declarations({ folder, entries }: Packed, outDir: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "sallyport-types-"));
  try {
    const paths = Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, [join(root, source)]]));
    const compilerOptions = {
      paths,
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      outDir: work,
      rootDir: join(root, "packages"),
      typeRoots: [join(root, "node_modules/@types")],
      types: ["node"],
    };
    const files = Object.values(entries).map((source) => join(root, folder, source));
    const config = join(work, "tsconfig.json");
    writeFileSync(config, JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, files, include: [] }));
    await runTool("tsc", ["-p", config]);
    copyReferred(
      work,
      files.map((file) => relative(join(root, "packages"), file).replace(/\.ts$/, ".d.ts")),
      outDir,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Copies the declarations that can be reached from some, with imports that resolve where they now lie. */
function copyReferred(from: string, names: readonly string[], to: string): void {
  const known = new Set(readdirSync(from, { recursive: true, encoding: "utf8" }));
  const queue = [...names];
  for (const name of queue) {
    const text = readFileSync(join(from, name), "utf8").replace(
      /(from |import\()"([^"]+)"/g,
      (whole, before: string, specifier: string) => {
        const referred = specifier.startsWith(".") ? join(dirname(name), specifier) : sources[specifier]?.replace(/^packages\//, "");
        if (referred === undefined) return whole;
        const declared = referred.replace(/\.ts$/, ".d.ts");
        if (!known.has(declared)) throw new Error(`${name} refers to ${specifier}, which has no declarations`);
        if (!queue.includes(declared)) queue.push(declared);
        const path = relative(dirname(name), referred).replace(/\.ts$/, ".js");
        return `${before}"${path.startsWith(".") ? path : `./${path}`}"`;
      },
    );
    write(join(to, name), text);
  }
}
