#!/usr/bin/env node
// Plain JavaScript, so that a Node that is too old can still say so.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(
    `sallyport needs Node 24.12 or newer and this is ${process.versions.node}; run it by "npx sallyport" in the checkout after "npm ci", which brings its own.\n`,
  );
  process.exit(1);
}
const { main } = await import("../src/main.ts");
process.exitCode = await main(process.argv);
