import type { PolicyFile, PolicyProblem } from "@sallyport/cedar";
import { actionName, allActions, type Chain, chainOf, childId } from "@sallyport/identity";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";

const actionNames = allActions.map((action) => actionName(action) as string);

const given = z.strictObject({
  /** The principal, then the agents' names: `[corp/alice, release, deploy]`. */
  chain: z.array(z.string()).min(1),
  kind: z.enum(["person", "service", "pipeline"]).default("person"),
  groups: z.array(z.string()).default([]),
  action: z.enum(actionNames),
  secret: z.string().default(""),
  target: z.string().default(""),
  facts: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
  /** Approvals that were granted for exactly this request. */
  approvals: z.array(z.string()).default([]),
});

const test = z.strictObject({
  name: z.string().min(1),
  given,
  expect: z.enum(["allow", "deny", "needs-approval", "error"]),
  /** The policies that decide, all of them, by `@id`. */
  policies: z.array(z.string()).optional(),
  /** The approvals that are asked for, all of them. */
  needs: z.array(z.string()).optional(),
});

const suite = z.strictObject({
  /** What is configured, as far as these tests go. */
  catalogue: z.strictObject({
    secrets: z.record(z.string(), z.strictObject({ categories: z.array(z.string()).default([]) })).default({}),
    targets: z.array(z.string()).default([]),
  }),
  tests: z.array(test).min(1),
});

export type PolicyTest = z.output<typeof test> & { readonly chain: Chain; readonly line: number };

export interface PolicyTests {
  readonly file: string;
  readonly catalogue: z.output<typeof suite>["catalogue"];
  readonly tests: readonly PolicyTest[];
}

export type ParsedTests = { kind: "parsed"; tests: PolicyTests } | { kind: "refused"; problems: readonly PolicyProblem[] };

/** Parses a YAML file of policy tests, or says where it is wrong. */
export function parsePolicyTests(file: PolicyFile): ParsedTests {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines, uniqueKeys: true, merge: true });
  const problem = (offset: number, message: string): PolicyProblem => {
    const { line, col } = lines.linePos(offset);
    return { file: file.name, line: Math.max(1, line), column: Math.max(1, col), message };
  };
  if (document.errors.length > 0) {
    return { kind: "refused", problems: document.errors.map((error) => problem(error.pos[0], error.message.split("\n")[0] ?? "")) };
  }
  const startOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length) as (string | number)[], true) as
        | { range?: [number, number, number] | null }
        | undefined;
      if (node?.range) return node.range[0];
    }
    return 0;
  };
  const parsed = suite.safeParse(document.toJS({ maxAliasCount: 20 }));
  if (!parsed.success) {
    return {
      kind: "refused",
      problems: parsed.error.issues.map(({ path, message }) => problem(startOf(path), `${path.join(".") || "the file"}: ${message}`)),
    };
  }
  const problems: PolicyProblem[] = [];
  const tests: PolicyTest[] = [];
  parsed.data.tests.forEach((each, index) => {
    const place = problem(startOf(["tests", index]), "");
    try {
      tests.push({ ...each, chain: chainOfNames(each.given), line: place.line });
    } catch (error) {
      problems.push({ ...place, message: error instanceof Error ? error.message : String(error) });
    }
  });
  if (problems.length > 0) return { kind: "refused", problems };
  return { kind: "parsed", tests: { file: file.name, catalogue: parsed.data.catalogue, tests } };
}

/** A chain as tests and `explain` write it: the principal's id, then the agents' names. @throws Refusal INVALID_REQUEST */
export function chainOfNames({
  chain,
  kind,
  groups,
}: {
  chain: readonly string[];
  kind: "person" | "service" | "pipeline";
  groups: readonly string[];
}): Chain {
  const [principal = "", ...agents] = chain;
  // Nothing was started: the sessions only have to differ.
  const sid = (index: number) => String(index).padStart(22, "0");
  const links = [{ id: principal, kind: kind as "person" | "service" | "pipeline" | "agent", sid: sid(0) }];
  for (const name of agents) links.push({ id: childId(links.at(-1)!.id, name), kind: "agent", sid: sid(links.length) });
  return chainOf(links, groups);
}
