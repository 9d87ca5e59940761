import type { JudgedRequest } from "../body/judged-request.ts";
import { Uninspectable } from "../uninspectable.ts";
import { conditionOf } from "./conditions.ts";
import { isKnown } from "./known.ts";
import { couldFit } from "./loose-path.ts";
import type { Rule } from "./rule.ts";

export type Verdict =
  | { readonly kind: "allowed" }
  /** `sentence` says why, for a person, with a full stop. */
  | { readonly kind: "blocked"; readonly rule: string; readonly sentence: string };

interface Compiled {
  readonly name: string;
  looksAt(request: JudgedRequest): boolean;
  /** The sentence, or undefined where the request may go. @throws Uninspectable */
  blocks(request: JudgedRequest): string | undefined;
}

/** A target's guardrail rules, compiled once. Every rule is looked at; the first that blocks is named. */
export class RuleSet {
  readonly #rules: readonly Compiled[];

  /** @param ownHost the target's host, which `self` stands for */
  constructor(rules: readonly Rule[], ownHost: string) {
    this.#rules = rules.map((rule) => compiled(rule, ownHost.toLowerCase().replace(/\.$/, "")));
  }

  /** Whether a request may go. What a rule must look at and cannot understand is blocked by it. */
  judge(request: JudgedRequest): Verdict {
    for (const rule of this.#rules) {
      if (!rule.looksAt(request)) continue;
      const sentence = sentenceOf(rule, request);
      if (sentence !== undefined) return { kind: "blocked", rule: rule.name, sentence };
    }
    return { kind: "allowed" };
  }
}

function sentenceOf(rule: Compiled, request: JudgedRequest): string | undefined {
  try {
    return rule.blocks(request);
  } catch (error) {
    if (error instanceof Uninspectable) return `it must be looked at, and the request ${error.message}.`;
    throw error;
  }
}

function compiled(rule: Rule, ownHost: string): Compiled {
  const { name, when, block, require, because } = rule;
  if (!isKnown(rule)) return unknown(name);
  const sentence = /[.!?]$/.test(because) ? because : `${because}.`;
  const met =
    block === undefined
      ? conditionOf(require ?? {}, "require", ownHost)
      : block === "always"
        ? () => true
        : conditionOf(block, "block", ownHost);
  const { methods, path } = when ?? {};
  return {
    name,
    looksAt: (request) => (methods?.includes(request.method) ?? true) && (path === undefined || couldFit(path, request.path)),
    blocks: (request) => (met(request) === (block !== undefined) ? sentence : undefined),
  };
}

/** A rule of a newer version, of which a part is not understood: what it is for cannot be served without it. */
const unknown = (name: string): Compiled => ({
  name,
  looksAt: () => true,
  blocks: () => "this version does not know all that the rule asks for; the operator can bring this broker up to date.",
});
