// Runs before everything else and on any Node, so it is plain JavaScript.
const needed = 26;
const running = Number(process.versions.node.split(".")[0]);
if (running < needed) {
  console.error(
    `Sallyport needs Node ${needed} or newer and this is ${process.version}. Node ${needed} is installed by \`npm ci\` and used by ` +
      "`npm run …`; its install script seems to have been held back: run `npm rebuild node --ignore-scripts=false`, then try again.",
  );
  process.exit(1);
}
