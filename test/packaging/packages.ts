/** What is packed for a registry: JavaScript, with the workspaces that are nobody else's bundled in. */
export interface Packed {
  readonly name: string;
  readonly description: string;
  /** The workspace's folder. */
  readonly folder: string;
  /** Output name → source, below the folder. */
  readonly entries: Readonly<Record<string, string>>;
  /** The oldest Node it runs on. */
  readonly node: string;
  /** esbuild's name for that. */
  readonly target: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  /** Whether type declarations are made for the entries. */
  readonly types?: boolean;
  readonly bin?: { readonly name: string; readonly entry: string; readonly run: string };
}

export const packages: readonly Packed[] = [
  {
    name: "@sallyport/sdk",
    description: "Lets an agent use secrets that it never sees, and start nested agents that may do less",
    folder: "packages/sdk",
    entries: { index: "src/index.ts" },
    node: ">=20.12.0",
    target: "node20.12",
    exports: { ".": { types: "./types/sdk/src/index.d.ts", default: "./dist/index.js" } },
    types: true,
  },
  {
    name: "@sallyport/cli",
    description: "The sallyport command: runs the services, and speaks to them",
    folder: "packages/cli",
    entries: { main: "src/main.ts" },
    node: ">=22.19.0",
    target: "node22.19",
    bin: { name: "sallyport", entry: "main", run: "process.exitCode = await main(process.argv);" },
  },
];
