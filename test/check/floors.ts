import { cruise, type ICruiseResult, type IForbiddenRuleType } from "dependency-cruiser";
import type { Check } from "./checks.ts";
import { root } from "./command.ts";

/** From the ground up; nothing imports from a floor above its own (docs/architecture.md). */
const floors = [
  ["packages/contracts"],
  ["packages/identity", "packages/cedar", "packages/policy", "packages/masking", "packages/guardrails", "packages/evidence"],
  ["packages/service", "packages/state", "packages/journal", "packages/egress"],
  ["services/authn", "services/pdp", "services/broker", "services/audit"],
  ["packages/sdk", "packages/cli", "test"],
];

/** Specifications stand on the test floor, wherever they lie; so do the files that only they import. */
const tests = String.raw`\.(spec|fixture)\.ts$|/conformance\.ts$`;
const anyOf = (folders: string[]) => `^(${folders.join("|")})/`;
const inputAndOutput = "^(node:)?(child_process|cluster|dgram|dns|fs|http|http2|https|net|sqlite|tls|worker_threads)(/|$)";

const rules: IForbiddenRuleType[] = [
  ...floors.slice(0, -1).map((folders, floor) => ({
    name: `floor ${floor + 1} imports nothing from above`,
    from: { path: anyOf(folders), pathNot: tests },
    to: { path: anyOf(floors.slice(floor + 1).flat()) },
  })),
  {
    name: "a service never imports another",
    from: { path: "^services/([^/]+)/", pathNot: tests },
    to: { path: "^services/", pathNot: "^services/$1/" },
  },
  {
    name: "the SDK does not carry the services",
    from: { path: "^packages/sdk/", pathNot: tests },
    to: { path: anyOf([...floors[3]!, "packages/state", "packages/journal", "packages/cli", "test"]) },
  },
  {
    name: "the first two floors do no input or output",
    from: { path: anyOf(floors.slice(0, 2).flat()), pathNot: tests },
    to: { path: inputAndOutput },
  },
  { name: "no circle", from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } } },
  { name: "every import is found", from: {}, to: { couldNotResolve: true } },
];

/** Fewer would mean that the cruiser read nothing and so found nothing. */
const fewestModules = 50;

/** Draws every import in the repository and holds it against the floors. */
export const floorsHold: Check = async () => {
  const folders = ["packages", "services", "test"];
  const { output } = await cruise(
    folders,
    {
      baseDir: root,
      validate: true,
      ruleSet: { forbidden: rules },
      exclude: { path: "(^|/)(node_modules|dist|\\.cache)/" },
      tsPreCompilationDeps: true,
      tsConfig: { fileName: "tsconfig.json" },
    },
    { extensions: [".ts", ".js", ".mjs", ".json"], exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  );
  const { summary, modules } = output as ICruiseResult;
  const own = modules.filter(({ source }) => folders.some((folder) => source.startsWith(`${folder}/`)) && source.endsWith(".ts"));
  const edges = own.flatMap(({ dependencies }) => dependencies).length;
  if (own.length < fewestModules || edges < own.length) return [`only ${own.length} modules with ${edges} imports were looked at`];
  console.log(`  floors: ${own.length} modules, ${edges} imports`);
  return summary.violations.map(
    ({ rule, from, to, cycle }) => `${rule.name}: ${from} → ${cycle?.map(({ name }) => name).join(" → ") ?? to}`,
  );
};
