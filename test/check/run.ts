/**
 * `npm run check`: everything that can be said about the code without running it. Each check prints its name, how long
 * it took, and what is wrong. Name some to run only those: `npm run check -- floors types`.
 */
import { availableParallelism } from "node:os";
import { styleText } from "node:util";
import { allChecks } from "./checks.ts";

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(allChecks, name));
if (unknown.length > 0) {
  console.error(`There is no check named ${unknown.join(", ")}. There are: ${Object.keys(allChecks).join(", ")}.`);
  process.exit(2);
}

const queue = Object.entries(allChecks).filter(([name]) => wanted.length === 0 || wanted.includes(name));
let failed = 0;
let passed = 0;

async function worker(): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [name, check] = next;
    const started = performance.now();
    const problems = await check().catch((error: Error) => [error.message]);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (problems.length === 0) {
      passed++;
      console.log(`${styleText("green", "✔")} ${name} (${seconds} s)`);
    } else {
      failed++;
      console.log(`${styleText("red", "✘")} ${name} (${seconds} s)\n${problems.join("\n").trimEnd().replace(/^/gm, "    ")}`);
    }
  }
}

await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
console.log(`${passed} checks passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
