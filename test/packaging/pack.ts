/**
 * `npm run pack [-- FOLDER]`: packs what users install as JavaScript, one tarball a package, into a folder (`dist` unless
 * said).
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { root, runTool } from "../check/command.ts";
import { bundle, type Imported } from "./bundle.ts";
import { declarations } from "./declarations.ts";
import { type Packed, packages } from "./packages.ts";
import { write } from "./write.ts";

/** @returns the tarball's path */
export async function pack(packed: Packed, into: string): Promise<string> {
  const stage = mkdtempSync(join(tmpdir(), "sallyport-pack-"));
  try {
    const imported = await bundle(packed, join(stage, "dist"));
    if (packed.types === true) await declarations(packed, join(stage, "types"));
    if (packed.bin !== undefined) writeBin(packed.bin, packed.node, join(stage, "bin"));
    write(join(stage, "package.json"), `${JSON.stringify(manifestOf(packed, imported), undefined, 2)}\n`);
    copyFileSync(join(root, "LICENSE"), join(stage, "LICENSE"));
    const readme = join(root, packed.folder, "README.md");
    if (existsSync(readme)) copyFileSync(readme, join(stage, "README.md"));
    mkdirSync(into, { recursive: true });
    const answer = JSON.parse(await runTool("npm", ["pack", stage, "--json", "--ignore-scripts", "--pack-destination", resolve(into)]));
    const [{ filename }] = Array.isArray(answer) ? answer : Object.values(answer as Record<string, { filename: string }>);
    return join(resolve(into), filename);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function manifestOf({ name, description, folder, node, exports, bin }: Packed, { dependencies, optionalPeers }: Imported): object {
  const { version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  return {
    name,
    version,
    description,
    license,
    type: "module",
    engines: { node },
    ...(exports === undefined ? {} : { exports }),
    ...(bin === undefined ? {} : { bin: { [bin.name]: `./bin/${bin.name}.mjs` } }),
    files: ["bin", "dist", "types"],
    dependencies,
    ...(Object.keys(optionalPeers).length === 0
      ? {}
      : {
          peerDependencies: optionalPeers,
          peerDependenciesMeta: Object.fromEntries(Object.keys(optionalPeers).map((name) => [name, { optional: true }])),
        }),
  };
}

/** Looks at Node's version first: a Node that is too old could not even read the rest. */
function writeBin({ name, entry, run }: NonNullable<Packed["bin"]>, node: string, folder: string): void {
  const [major, minor] = node.replace(">=", "").split(".");
  const file = join(folder, `${name}.mjs`);
  const text = `#!/usr/bin/env node
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < ${major} || (major === ${major} && minor < ${minor})) {
  process.stderr.write(\`${name} needs Node ${major}.${minor} or newer and this is \${process.versions.node}; install a newer one from nodejs.org.\\n\`);
  process.exit(1);
}
const { main } = await import("../dist/${entry}.js");
${run}
`;
  write(file, text);
  chmodSync(file, 0o755);
}

if (import.meta.main) {
  const [into = join(root, "dist"), ...more] = process.argv.slice(2);
  if (into === "" || into.startsWith("-") || more.length > 0) {
    console.error("npm run pack [-- FOLDER]; the tarballs go to dist unless said");
    process.exit(2);
  }
  for (const packed of packages) console.log(await pack(packed, into));
}
