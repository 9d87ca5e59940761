import type { Refusal } from "@sallyport/contracts";
import { RuleSet } from "@sallyport/guardrails";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { blocked } from "./blocked.ts";
import type { Operation } from "./operation.ts";

const compiled = new WeakMap<TargetConfig, RuleSet>();

/** The refusal of a request that one of its target's rules blocks, or undefined. */
export function againstRules(operation: Operation): Refusal | undefined {
  const { config, target, method, path, query, headers, body, upload } = operation;
  if (config?.rules === undefined) return undefined;
  const verdict = ruleSetOf(config).judge({ method, path, query, headers, body: upload === undefined ? body : "streamed" });
  return verdict.kind === "allowed" ? undefined : blocked(verdict.rule, target, verdict.sentence);
}

function ruleSetOf(config: TargetConfig): RuleSet {
  const known = compiled.get(config);
  if (known !== undefined) return known;
  const rules = new RuleSet(config.rules ?? [], new URL(config.baseUrl).hostname);
  compiled.set(config, rules);
  return rules;
}
