import { type Token, tokensOf } from "./tokens.ts";

/** One policy's text and where in its file it starts, in characters. */
export interface PolicyText {
  readonly text: string;
  readonly offset: number;
  /** How deep its expressions nest, at most: what a recursive parser or evaluator would need of its stack. */
  readonly depth: number;
}

/** Cuts a file's text at the semicolons that end policies. Cedar's own count is compared with ours by the caller. */
export function splitPolicies(text: string): PolicyText[] {
  const policies: PolicyText[] = [];
  let start: number | undefined;
  let nesting = new Nesting();
  for (const token of tokensOf(text)) {
    start ??= token.offset;
    nesting.add(token);
    if (token.text !== ";") continue;
    policies.push({ text: text.slice(start, token.offset + 1), offset: start, depth: nesting.deepest });
    start = undefined;
    nesting = new Nesting();
  }
  if (start !== undefined) policies.push({ text: text.slice(start), offset: start, depth: nesting.deepest });
  return policies;
}

/**
 * An upper bound of an expression's depth, without parsing it: two for a bracket, one for each operator that chains to the
 * left and for each `if`. A policy that overflows the engine's stack would take the whole engine with it, the good set too.
 */
class Nesting {
  deepest = 0;
  #ifs = 0;
  #chains = [0];

  add({ kind, text }: Token): void {
    if (kind === "string") return;
    const top = this.#chains.length - 1;
    if ("([{".includes(text)) this.#chains.push(2);
    else if (")]}".includes(text) && top > 0) this.#chains.pop();
    else if ("&|,".includes(text)) this.#chains[top] = top === 0 ? 0 : 2;
    else if ("+-*.!".includes(text)) this.#chains[top]! += 1;
    else if (text === "if") this.#ifs++;
    this.deepest = Math.max(this.deepest, this.#ifs + this.#chains.reduce((sum, chain) => sum + chain, 0));
  }
}
