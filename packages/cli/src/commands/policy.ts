import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { styleText } from "node:util";
import { type PolicyProblem, problemText } from "@sallyport/cedar";
import { actionNamed } from "@sallyport/identity";
import { readPolicyFolder } from "@sallyport/pdp/policy-folder";
import {
  actionRules,
  type Catalogue,
  catalogueOf,
  chainOfNames,
  type Decision,
  decide,
  loadBundle,
  type PolicyBundle,
  parsePolicyTests,
  runPolicyTests,
  type TestResult,
  untestedPolicies,
  warnOfUnknown,
} from "@sallyport/policy";
import { Command, InvalidArgumentError, Option } from "commander";

interface Common {
  policies?: string;
  config?: string;
  output: "table" | "json";
}

const collect = (value: string, all: string[] = []) => [...all, value];
const names = (value: string) =>
  value
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** `sallyport policy …`: for those who write policies. Works on files alone; no service is asked. Exit code 1 where something is wrong. */
export function policyCommand(): Command {
  const policy = new Command("policy").description("check, test and explain policies");
  const sub = (name: string, description: string) =>
    policy
      .command(name)
      .description(description)
      .option("--policies <folder>", "the folder of policies; left out, the configuration's, else ./policies")
      .option(
        "-c, --config <file>",
        "the configuration, for its folder of policies, secrets and targets; left out, ./sallyport.yaml where there is one",
      )
      .addOption(new Option("-o, --output <form>", "how to answer").choices(["table", "json"]).default("table"));

  sub("check", "say whether the policies would be served, and where they are wrong").action(async (options: Common) => {
    const { folder, catalogue } = await settings(options);
    const loaded = await load(folder);
    const problems = loaded.kind === "refused" ? loaded.problems : warningsOf(loaded.bundle, catalogue);
    if (options.output === "json")
      print(
        JSON.stringify({
          served: loaded.kind === "loaded",
          ...(loaded.kind === "loaded" ? { version: loaded.bundle.version } : {}),
          problems,
        }),
      );
    else {
      for (const problem of problems)
        print(`${loaded.kind === "refused" ? styleText("red", "refused") : styleText("yellow", "warning")} ${problemText(problem)}`);
      if (loaded.kind === "loaded")
        print(`${styleText("green", "ok")} ${loaded.bundle.policies.length} policies, version ${loaded.bundle.version}`);
    }
    if (loaded.kind === "refused") process.exitCode = 1;
  });

  sub("test", "run the policies' tests: YAML files, or folders of them")
    .argument("[paths...]", "left out, the folder `tests` beside the policies")
    .action(async (paths: string[], options: Common) => {
      const { folder } = await settings(options);
      const bundle = demand(await load(folder));
      const files = testFiles(paths.length > 0 ? paths : [join(folder, "tests")]);
      if (files.length === 0) fail([{ file: join(folder, "tests"), line: 1, column: 1, message: "there are no tests (*.yaml)" }]);
      const results = files.flatMap((file) => {
        const parsed = parsePolicyTests({ name: file, text: readFileSync(file, "utf8") });
        return parsed.kind === "refused" ? fail(parsed.problems) : runPolicyTests(bundle, parsed.tests);
      });
      report(results, untestedPolicies(bundle, results), options.output);
      if (results.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
    });

  sub("explain", "say what would be decided, link by link, and by which policies")
    .requiredOption("--chain <links>", "the principal, then the agents' names: corp/alice,release,deploy", names)
    .option("--groups <groups>", "the principal's groups: corp/release-team,…", names, [])
    .addOption(new Option("--kind <kind>", "what the principal is").choices(["person", "service", "pipeline"]).default("person"))
    .requiredOption("--action <action>", "use, read, write, list, delegate, …", parseActionName)
    .option("--secret <name>", "the secret", "")
    .option("--category <name>", "a category of the secret, where no configuration tells them (repeatable)", collect, [])
    .option("--target <name>", "the target", "")
    .option("--fact <name=value>", "a fact of the request, such as method=POST (repeatable)", collect, [])
    .option("--approval <name>", "an approval that was given (repeatable)", collect, [])
    .action(async (options: Common & Asked) => {
      const { folder, catalogue } = await settings(options);
      const decision = explain(demand(await load(folder)), options, catalogue);
      print(options.output === "json" ? JSON.stringify(decision) : explained(decision));
    });
  return policy;
}

const warningsOf = (bundle: PolicyBundle, catalogue: Catalogue | undefined) => [
  ...bundle.warnings,
  ...(catalogue === undefined ? [] : warnOfUnknown(bundle, catalogue)),
];

interface Asked {
  chain: string[];
  groups: string[];
  kind: "person" | "service" | "pipeline";
  action: string;
  secret: string;
  category: string[];
  target: string;
  fact: string[];
  approval: string[];
}

function explain(bundle: PolicyBundle, asked: Asked, configured: Catalogue | undefined): Decision {
  // Without a configuration the question says what there is.
  const catalogue =
    configured ?? catalogueOf({ secrets: { [asked.secret]: { categories: asked.category } }, targets: { [asked.target]: {} } });
  const requestDigest = "0".repeat(64);
  const question = {
    chain: chainOfNames(asked),
    action: actionNamed(asked.action)!,
    secret: asked.secret,
    target: asked.target,
    facts: factsOf(asked),
    requestDigest,
    grants: asked.approval.map((name) => ({ name, requestDigest, expiresAt: 1 })),
  };
  return decide(bundle, catalogue, question, 0);
}

/** `method=GET`; a fact that is a set is written `secrets=prod/*,dev/*`. */
function factsOf({ action, fact }: Asked): Record<string, string | string[]> {
  const lists = actionRules.get(action)?.lists ?? [];
  return Object.fromEntries(
    fact.map((text) => {
      const [name, value] = [text.split("=", 1)[0]!, text.slice(text.indexOf("=") + 1)];
      return [name, lists.includes(name) ? value.split(",") : value];
    }),
  );
}

const colours = { allowed: "green", denied: "red", "needs-approval": "yellow", error: "red" } as const;

function explained({ verdict, sentence, links, policyVersion }: Decision): string {
  const lines = links.map((link) => {
    const by =
      link.errors.length > 0
        ? link.errors.map(({ policy, message }) => `${policy ?? "the question"}: ${message}`).join("; ")
        : link.determining.join(", ");
    return `  ${styleText(colours[link.verdict], link.verdict.padEnd(14))} ${link.link}  ${by === "" ? "no policy permits it" : by}`;
  });
  return [`${styleText(colours[verdict], verdict)}  ${sentence}`, ...lines, `  policy version ${policyVersion}`].join("\n");
}

function report(results: TestResult[], untested: string[], output: Common["output"]): void {
  const failed = results.filter(({ failure }) => failure !== undefined);
  if (output === "json") {
    const tests = results.map(({ file, line, name, failure }) => ({
      file,
      line,
      name,
      passed: failure === undefined,
      ...(failure === undefined ? {} : { failure }),
    }));
    print(JSON.stringify({ passed: results.length - failed.length, failed: failed.length, untested, tests }));
    return;
  }
  for (const { file, line, name, failure } of failed) print(`${styleText("red", "failed")} ${file}:${line} ${name}\n       ${failure}`);
  if (untested.length > 0) print(`${styleText("yellow", "untested")} ${untested.join(", ")}`);
  print(`${results.length - failed.length} passed, ${failed.length} failed`);
}

/** Where the policies are, and what is configured where that is known. */
async function settings({ policies, config }: Common): Promise<{ folder: string; catalogue: Catalogue | undefined }> {
  const file = config ?? (existsSync("sallyport.yaml") ? "sallyport.yaml" : undefined);
  // Someone who names a folder and no configuration asks about that folder alone.
  if (file === undefined || (config === undefined && policies !== undefined))
    return { folder: policies ?? "policies", catalogue: undefined };
  // Only here: it brings all that services stand on.
  const { loadConfig } = await import("@sallyport/service");
  const loaded = await loadConfig(file);
  return { folder: policies ?? loaded.policies, catalogue: catalogueOf(loaded) };
}

async function load(folder: string) {
  const contents = await readPolicyFolder(folder);
  return contents.kind === "read" ? loadBundle(contents.files) : ({ kind: "refused", problems: contents.problems } as const);
}

const demand = (loaded: Awaited<ReturnType<typeof load>>): PolicyBundle =>
  loaded.kind === "loaded" ? loaded.bundle : fail(loaded.problems);

/** Says what is wrong on standard error, and ends the command with exit code 1. */
function fail(problems: readonly PolicyProblem[]): never {
  return new Command("policy").error(problems.map(problemText).join("\n"), { exitCode: 1, code: "sallyport.policies" });
}

function testFiles(paths: string[]): string[] {
  return paths.flatMap((path) => {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
      return existsSync(path) ? [path] : fail([{ file: path, line: 1, column: 1, message: "there is no such file or folder" }]);
    return readdirSync(path, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(path, name));
  });
}

function parseActionName(name: string): string {
  if (actionNamed(name) === undefined) throw new InvalidArgumentError(`There is no action "${name}".`);
  return name;
}

const print = (text: string) => void process.stdout.write(`${text}\n`);
