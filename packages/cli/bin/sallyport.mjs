#!/usr/bin/env node
// Plain JavaScript, so that a Node that is too old can still say so.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(
    `sallyport needs Node 24.12 or newer and this is ${process.versions.node}; run it by "npx sallyport" in the checkout after "npm ci", which brings its own.\n`,
  );
  process.exit(1);
}
// Compiled code is kept, in the user's own folder and nowhere that others can write: a third less to do at each start.
const { enableCompileCache } = await import("node:module");
const { homedir } = await import("node:os");
const { join } = await import("node:path");
enableCompileCache(join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "sallyport", "compiled"));
const { main } = await import("../src/main.ts");
process.exitCode = await main(process.argv);
