import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { root } from "../check/command.ts";
import type { Packed } from "./packages.ts";

/**
 * Bundles a package's entries and our own workspaces in them. What comes from a registry stays an import.
 *
 * @returns the registry's packages that are imported, with their versions
 */
export async function bundle({ folder, entries, target }: Packed, outdir: string): Promise<Record<string, string>> {
  const dependencies = new Map<string, string>();
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: Object.entries(entries).map(([out, source]) => ({ out, in: join(folder, source) })),
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target,
    metafile: true,
    // A function's name shows in stack traces, and a class's in errors.
    keepNames: true,
    plugins: [fromRegistry(dependencies)],
    logLevel: "warning",
  });
  const kept = Object.values(metafile.outputs).flatMap((output) =>
    output.imports.filter(({ external }) => external).map(({ path }) => packageOf(path)),
  );
  return Object.fromEntries([...dependencies].filter(([name]) => kept.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Leaves imports of registry packages as they are, and drops those of which nothing is used. */
function fromRegistry(dependencies: Map<string, string>): Plugin {
  return {
    name: "from-registry",
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^[^./]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
        if (kind === "entry-point" || path.startsWith("node:") || pluginData === "resolving") return undefined;
        if (path.startsWith("@sallyport/")) {
          const found = await resolve(path, { kind, importer, resolveDir, pluginData: "resolving" });
          return { ...found, sideEffects: false };
        }
        const name = packageOf(path);
        dependencies.set(name, versionFor(name, importer));
        return { path, external: true, sideEffects: needsEffect.has(name) };
      });
    },
  };
}

/** Imported for what it does, not for what it exports. */
const needsEffect = new Set(["reflect-metadata"]);

const packageOf = (path: string): string => path.split("/", path.startsWith("@") ? 2 : 1).join("/");

/** As the workspace that imports it pins it. */
function versionFor(name: string, importer: string): string {
  for (let folder = dirname(importer); folder.startsWith(root); folder = dirname(folder)) {
    const { dependencies = {} } = manifestAt(folder);
    if (dependencies[name] !== undefined) return dependencies[name];
  }
  throw new Error(`${importer} imports ${name}, which its workspace does not depend on`);
}

function manifestAt(folder: string): { dependencies?: Record<string, string> } {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  } catch {
    return {};
  }
}
