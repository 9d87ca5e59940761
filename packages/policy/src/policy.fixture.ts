import assert from "node:assert/strict";
import { type PolicyProblem, problemText } from "@sallyport/cedar";
import { Action } from "@sallyport/contracts";
import { type Chain, chainOf, type LinkKind } from "@sallyport/identity";
import { catalogueOf, decide, type Grant, loadBundle, type PolicyBundle, type Question } from "./index.ts";

// For specs only: short ways to say a bundle, a chain, a question.

export const catalogue = catalogueOf({
  secrets: {
    "prod/orders/api": { categories: ["payments", "high-value"] },
    "prod/search/api": { categories: [] },
    "dev/orders/api": {},
  },
  targets: { "orders-api": {}, "search-api": {} },
});

export const digest = "ab".repeat(32);

export function bundleOf(...policies: string[]): PolicyBundle {
  const loaded = loadBundle([{ name: "test.cedar", text: policies.join("\n") }]);
  assert.equal(loaded.kind, "loaded", loaded.kind === "refused" ? loaded.problems.map(problemText).join("\n") : "");
  return (loaded as Extract<typeof loaded, { kind: "loaded" }>).bundle;
}

export function problemsOf(...policies: string[]): string[] {
  const loaded = loadBundle([{ name: "test.cedar", text: policies.join("\n") }]);
  return loaded.kind === "refused" ? (loaded.problems as readonly PolicyProblem[]).map(problemText) : [];
}

/** `chain("corp/alice", "release", "deploy")` */
export function chain(principal: string, agents: readonly string[] = [], groups: readonly string[] = [], kind: LinkKind = "person"): Chain {
  const sid = (index: number) => `session-${index}`.padEnd(22, "0");
  const ids = agents.map((_, index) => `${principal}#${agents.slice(0, index + 1).join("/")}`);
  return chainOf(
    [{ id: principal, kind, sid: sid(0) }, ...ids.map((id, index) => ({ id, kind: "agent" as const, sid: sid(index + 1) }))],
    groups,
  );
}

export const question = (partial: Partial<Question> & { chain: Chain }): Question => ({
  action: Action.USE,
  secret: "prod/orders/api",
  target: "orders-api",
  facts: {},
  requestDigest: digest,
  grants: [],
  ...partial,
});

export const now = 1_800_000_000_000;

export const grant = (name: string, partial: Partial<Grant> = {}): Grant => ({
  name,
  requestDigest: digest,
  expiresAt: now + 60_000,
  ...partial,
});

export const ask = (bundle: PolicyBundle, asked: Partial<Question> & { chain: Chain }) => decide(bundle, catalogue, question(asked), now);
