import { createHash } from "node:crypto";
import {
  CompiledEngine,
  type Policy,
  type PolicyEngine,
  type PolicyFile,
  type PolicyProblem,
  parsePolicies,
  problemIn,
} from "@sallyport/cedar";
import { schema } from "../schema.ts";
import { allowsUnboundTickets, checkAllowance } from "./allowance.ts";
import { type ApprovalRule, approvalRule, sameRule } from "./approval-rule.ts";
import { checkAnnotations } from "./check-annotations.ts";
import { checkApprovals } from "./check-approvals.ts";
import { checkNames } from "./check-names.ts";
import { checkTexts, warnOfPrefixes } from "./check-texts.ts";
import { type Obligation, obligationsOf } from "./obligation.ts";

/** A set of policies that is served as a whole. */
export interface PolicyBundle {
  /** SHA-256 of the canonical set, hex: the same policies have the same version, however they lie in files. */
  readonly version: string;
  readonly engine: PolicyEngine;
  readonly policies: readonly Policy[];
  /** The forbids that an approval lifts, by `@id`. */
  readonly liftable: ReadonlyMap<string, ApprovalRule>;
  /** By `@id`. */
  readonly obligations: ReadonlyMap<string, readonly Obligation[]>;
  /** The permits that let out enrolment tickets which name no key, by `@id`. */
  readonly unboundTickets: ReadonlySet<string>;
  /** What deserves a look, and is served all the same. */
  readonly warnings: readonly PolicyProblem[];
}

export type Loaded = { kind: "loaded"; bundle: PolicyBundle } | { kind: "refused"; problems: readonly PolicyProblem[] };

/**
 * Makes a bundle of policy files, or says everything that is wrong with them. All or nothing.
 * @param makeEngine another engine than the compiled one
 */
export function loadBundle(
  files: readonly PolicyFile[],
  makeEngine = (policies: readonly Policy[]): PolicyEngine => new CompiledEngine(policies, schema),
): Loaded {
  if (files.length === 0) {
    return {
      kind: "refused",
      problems: [{ file: ".", line: 1, column: 1, message: "there is no *.cedar file; without a policy nothing is allowed" }],
    };
  }
  const parsed = parsePolicies(files, schema);
  if (parsed.kind === "refused") return parsed;
  const { policies } = parsed;
  const { liftable, problems } = approvalRules(policies);
  for (const policy of policies)
    problems.push(
      ...checkAnnotations(policy),
      ...checkAllowance(policy),
      ...checkApprovals(policy),
      ...checkNames(policy),
      ...checkTexts(policy),
    );
  if (problems.length > 0) return { kind: "refused", problems };
  const bundle: PolicyBundle = {
    version: versionOf(policies),
    engine: makeEngine(policies),
    policies,
    liftable,
    obligations: new Map(policies.map((policy) => [policy.id, obligationsOf(policy)])),
    unboundTickets: new Set(policies.filter(allowsUnboundTickets).map(({ id }) => id)),
    warnings: [...parsed.warnings, ...policies.flatMap(warnOfPrefixes)],
  };
  return { kind: "loaded", bundle };
}

function approvalRules(policies: readonly Policy[]): { liftable: Map<string, ApprovalRule>; problems: PolicyProblem[] } {
  const liftable = new Map<string, ApprovalRule>();
  const byName = new Map<string, { rule: ApprovalRule; policy: Policy }>();
  const problems: PolicyProblem[] = [];
  for (const policy of policies.filter(({ annotations }) => annotations.has("approval"))) {
    const rule = approvalRule(policy);
    if ("refused" in rule) {
      problems.push(problemIn(policy, rule.refused));
      continue;
    }
    const first = byName.get(rule.name);
    if (first !== undefined && !sameRule(first.rule, rule)) {
      problems.push(
        problemIn(
          policy,
          `policy "${first.policy.id}" asks for the approval "${rule.name}" by other reviewers, quorum or times; one name, one rule`,
        ),
      );
    }
    byName.set(rule.name, { rule, policy });
    liftable.set(policy.id, rule);
  }
  return { liftable, problems };
}

function versionOf(policies: readonly Policy[]): string {
  const canonical = policies.map(({ id, text }) => [id, text.replaceAll("\r\n", "\n")]).sort(([one], [other]) => (one! < other! ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([schema, canonical]))
    .digest("hex");
}
