import type { PolicyJson } from "./expression.ts";
import { type PolicyFile, problemAt } from "./policy-file.ts";
import type { PolicyProblem } from "./problem.ts";
import { offsetOfToken, type Token } from "./tokens.ts";

/** A policy as Cedar's parser understood it, and where it is written. */
export interface Policy {
  /** Its `@id`. */
  readonly id: string;
  readonly effect: "permit" | "forbid";
  /** Name to text; an annotation without a value is the empty text. */
  readonly annotations: ReadonlyMap<string, string>;
  readonly json: PolicyJson;
  readonly text: string;
  readonly file: PolicyFile;
  /** Where it starts in its file, in characters. */
  readonly offset: number;
}

/** A problem of this policy, at its first token that satisfies the test, else at its start. */
export const problemIn = (policy: Policy, message: string, test: (token: Token) => boolean = () => false): PolicyProblem =>
  problemAt(policy.file, policy.offset + offsetOfToken(policy.text, test), message);
