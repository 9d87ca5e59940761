import assert from "node:assert/strict";
import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import { Action } from "@sallyport/contracts";
import type { Chain } from "@sallyport/identity";
import fc from "fast-check";
import { type PolicyBundle, schema, type Verdict } from "../index.ts";
import { ask, bundleOf, chain, grant } from "../policy.fixture.ts";

// A naive reading of the promise, on Cedar's plain call: one question a link, everything written out, nothing prepared.

const categories: Record<string, string[]> = { "prod/orders/api": ["payments", "high-value"], "prod/search/api": [], "dev/orders/api": [] };

interface Case {
  chain: Chain;
  secret: string;
  method: string | undefined;
  grants: string[];
}

function naive(policies: string[], asked: Case, approvals: string[]): { decision: string; reason: string[]; errors: string[] }[] {
  const staticPolicies = Object.fromEntries(policies.map((text) => [/@id\("([^"]+)"\)/.exec(text)![1]!, text]));
  const user = asked.chain.links[0];
  return asked.chain.links.map((link) => {
    const answer = cedar.isAuthorized({
      principal: { type: link.id.includes("#") ? "Agent" : "User", id: link.id },
      action: { type: "Action", id: "use" },
      resource: { type: "Secret", id: asked.secret },
      context: {
        approvals,
        target: { __entity: { type: "Target", id: "orders-api" } },
        ...(asked.method === undefined ? {} : { method: asked.method }),
      },
      schema,
      validateRequest: true,
      policies: { staticPolicies },
      entities: [
        {
          uid: { type: "User", id: user.id },
          attrs: { kind: user.kind, provider: "corp" },
          parents: asked.chain.groups.map((id) => ({ type: "Group", id })),
        },
        ...asked.chain.links.slice(1).map(({ id }) => {
          const names = id.slice(user.id.length + 1).split("/");
          const above = names.slice(0, -1).map((_, index) => ({ type: "Agent", id: `${user.id}#${names.slice(0, index + 1).join("/")}` }));
          return {
            uid: { type: "Agent", id },
            attrs: { kind: "agent", provider: "corp", name: names.at(-1)!, depth: names.length },
            parents: [{ type: "User", id: user.id }, ...above],
          };
        }),
        {
          uid: { type: "Secret", id: asked.secret },
          attrs: { name: asked.secret },
          parents: (categories[asked.secret] ?? []).map((id) => ({ type: "Category", id })),
        },
        { uid: { type: "Target", id: "orders-api" }, attrs: { name: "orders-api" }, parents: [] },
      ],
    });
    assert.equal(answer.type, "success", JSON.stringify(answer));
    const { response } = answer as Extract<typeof answer, { type: "success" }>;
    return {
      decision: response.decision,
      reason: response.diagnostics.reason,
      errors: response.diagnostics.errors.map(({ policyId }) => policyId),
    };
  });
}

function expected(policies: string[], asked: Case): Verdict {
  const asIs = naive(policies, asked, asked.grants);
  const lifted = naive(policies, asked, ["a", "b"]);
  if ([...asIs, ...lifted].some(({ errors }) => errors.length > 0)) return "error";
  if (lifted.some(({ decision }) => decision === "deny") || !(asked.secret in categories)) return "denied";
  return asIs.every(({ decision }) => decision === "allow") ? "allowed" : "needs-approval";
}

const pick = <T>(...values: T[]) => fc.constantFrom(...values);
const principalScope = pick(
  "principal",
  "principal",
  'principal == User::"corp/alice"',
  'principal in User::"corp/alice"',
  'principal in Group::"corp/team"',
  'principal in Group::"corp/ops"',
  'principal in Agent::"corp/alice#a"',
  "principal is Agent",
  "principal is User",
);
const resourceScope = pick(
  "resource",
  "resource",
  'resource == Secret::"prod/search/api"',
  'resource in Category::"payments"',
  'resource in Category::"high-value"',
);
const condition = pick(
  "",
  "",
  "",
  'when { context has method && context.method != "POST" }',
  'unless { context has method && context.method == "GET" }',
  'when { principal.kind == "agent" }',
  'when { resource.name like "prod/*" }',
);
// Told apart by the agents' depth, so that it fails for some links only.
const overflows =
  '@id("overflow") forbid (principal is Agent, action == Action::"use", resource) when { principal.depth + 9223372036854775806 < 0 };';
const approval = pick(undefined, "a", "a", "b");

const policy = fc
  .record({ permit: fc.boolean(), principal: principalScope, resource: resourceScope, condition, approval })
  .map((parts) => (id: string) => {
    const head = `(${parts.principal}, action, ${parts.resource}) ${parts.condition}`;
    if (parts.permit) return `@id("${id}") permit ${head};`.replace("action,", 'action == Action::"use",');
    const lift = parts.approval === undefined ? "" : `unless { context.approvals.contains("${parts.approval}") }`;
    const annotations = parts.approval === undefined ? "" : `@approval("${parts.approval}") @reviewers("corp/approvers")`;
    return `@id("${id}") ${annotations} forbid ${head} ${lift};`.replace("action,", 'action == Action::"use",');
  });
const open = '@id("open") permit (principal, action == Action::"use", resource);';
const policies = fc
  .tuple(fc.array(policy, { minLength: 1, maxLength: 6 }), pick([open], [open], [open, overflows], []))
  .map(([made, fixed]) => [...made.map((make, index) => make(`p${index}`)), ...fixed]);
const asked: fc.Arbitrary<Case> = fc.record({
  chain: fc
    .tuple(pick("corp/alice", "corp/bob"), fc.array(pick("a", "b"), { maxLength: 3 }), fc.subarray(["corp/team", "corp/ops"]))
    .map(([principal, agents, groups]) => chain(principal, agents, groups)),
  secret: pick("prod/orders/api", "prod/orders/api", "prod/search/api", "dev/orders/api", "no/such"),
  method: pick(undefined, "GET", "POST"),
  grants: fc.subarray(["a", "b"]),
});

const verdictOf = (bundle: PolicyBundle, { chain, secret, method, grants }: Case): Verdict =>
  ask(bundle, {
    chain,
    action: Action.USE,
    secret,
    facts: method === undefined ? {} : { method },
    grants: grants.map((name) => grant(name)),
  }).verdict;

const withBundle = <T>(texts: string[], use: (bundle: PolicyBundle) => T): T => {
  const bundle = bundleOf(...texts);
  try {
    return use(bundle);
  } finally {
    bundle.engine.release();
  }
};

describe("decide(), for any policies and any chain", () => {
  it("agrees with asking Cedar plainly, link by link", () => {
    const seen = new Map<Verdict, number>();
    fc.assert(
      fc.property(policies, asked, (texts, each) => {
        const verdict = withBundle(texts, (bundle) => verdictOf(bundle, each));
        seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
        assert.equal(verdict, expected(texts, each));
      }),
      { numRuns: 120 },
    );
    assert.equal(seen.size, 4, `every verdict was met: ${JSON.stringify([...seen])}`);
  });

  it("never turns a denial into an allow by adding a link", () => {
    const order: Verdict[] = ["allowed", "needs-approval", "denied"];
    fc.assert(
      fc.property(policies, asked, pick("a", "b"), (texts, each, name) => {
        const [principal] = each.chain.links;
        const agents = each.chain.links.slice(1).map(({ id }) => id.split(/[#/]/).at(-1)!);
        const longer = { ...each, chain: chain(principal.id, [...agents, name], each.chain.groups) };
        const [before, after] = withBundle(texts, (bundle) => [verdictOf(bundle, each), verdictOf(bundle, longer)]);
        if (before === "error") assert.equal(after, "error");
        else assert.ok(after === "error" || order.indexOf(after!) >= order.indexOf(before!), `${before} became ${after}`);
      }),
      { numRuns: 80 },
    );
  });

  it("never allows by approval what the permits do not, nor what another forbid holds", () => {
    fc.assert(
      fc.property(policies, asked, (texts, each) => {
        const granted = withBundle(texts, (bundle) => verdictOf(bundle, { ...each, grants: ["a", "b"] }));
        const strict = texts.filter((text) => !text.includes("@approval"));
        const permitted = strict.length === 0 ? "denied" : withBundle(strict, (bundle) => verdictOf(bundle, { ...each, grants: [] }));
        if (granted === "allowed") assert.equal(permitted, "allowed");
        assert.notEqual(granted, "needs-approval");
      }),
      { numRuns: 80 },
    );
  });
});
