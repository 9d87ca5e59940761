import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { root } from "../check/command.ts";
import type { Packed } from "./packages.ts";

/** The registry's packages that are imported, with their versions. */
export interface Imported {
  readonly dependencies: Record<string, string>;
  /** Loaded only where they are used: whoever uses them installs them. */
  readonly optionalPeers: Record<string, string>;
}

/** Bundles a package's entries and our own workspaces in them. What comes from a registry stays an import. */
export async function bundle({ folder, entries, target }: Packed, outdir: string): Promise<Imported> {
  const optional = new Set<string>();
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
    plugins: [fromRegistry(dependencies, optional)],
    logLevel: "warning",
  });
  const kept = Object.values(metafile.outputs).flatMap((output) =>
    output.imports.filter(({ external }) => external).map(({ path }) => packageOf(path)),
  );
  const sorted = [...dependencies].filter(([name]) => kept.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    dependencies: Object.fromEntries(sorted.filter(([name]) => !optional.has(name))),
    optionalPeers: Object.fromEntries(sorted.filter(([name]) => optional.has(name))),
  };
}

/** Leaves imports of registry packages as they are, and drops those of which nothing is used. */
function fromRegistry(dependencies: Map<string, string>, optional: Set<string>): Plugin {
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
        const wanted = wantedBy(name, importer);
        dependencies.set(name, wanted.version);
        if (wanted.optional) optional.add(name);
        return { path, external: true, sideEffects: needsEffect.has(name) };
      });
    },
  };
}

/** Imported for what it does, not for what it exports. */
const needsEffect = new Set(["reflect-metadata"]);

const packageOf = (path: string): string => path.split("/", path.startsWith("@") ? 2 : 1).join("/");

/** As the workspace that imports it pins it. */
function wantedBy(name: string, importer: string): { version: string; optional: boolean } {
  for (let folder = dirname(importer); folder.startsWith(root); folder = dirname(folder)) {
    const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifestAt(folder);
    if (dependencies[name] !== undefined) return { version: dependencies[name], optional: false };
    if (peerDependencies[name] !== undefined)
      return { version: peerDependencies[name], optional: peerDependenciesMeta[name]?.optional === true };
  }
  throw new Error(`${importer} imports ${name}, which its workspace does not depend on`);
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

function manifestAt(folder: string): Manifest {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  } catch {
    return {};
  }
}
