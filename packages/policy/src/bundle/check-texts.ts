import { nodesOf, type Policy, type PolicyProblem, problemIn, type Token } from "@sallyport/cedar";

type Pattern = readonly ("Wildcard" | { readonly Literal: string })[];

/**
 * Refuses texts and patterns that do not say what they seem to: an empty one, a pattern of wildcards alone (it would match
 * everything), blanks at an end, a text that is not NFC.
 */
export function checkTexts(policy: Policy): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  let likes = 0;
  for (const { node } of nodesOf(policy.json.conditions)) {
    if ("pattern" in node && Array.isArray(node.pattern)) {
      const at = nth(likes++, (token) => token.text === "like");
      const why = patternProblem(node.pattern as Pattern);
      if (why !== undefined) problems.push(problemIn(policy, why, at));
    } else if (typeof node.Value === "string") {
      const text = node.Value;
      const why = textProblem(text);
      if (why !== undefined) problems.push(problemIn(policy, why, (token) => token.text === JSON.stringify(text)));
    }
  }
  return problems;
}

/** Says where a wildcard follows anything but a segment's edge: `prod*` also covers `production/db`. */
export function warnOfPrefixes(policy: Policy): PolicyProblem[] {
  const warnings: PolicyProblem[] = [];
  let likes = 0;
  for (const { node } of nodesOf(policy.json.conditions)) {
    if (!("pattern" in node) || !Array.isArray(node.pattern)) continue;
    const at = nth(likes++, (token) => token.text === "like");
    const text = (node.pattern as Pattern).map((part) => (part === "Wildcard" ? "\0" : part.Literal)).join("");
    if (policy.effect === "permit" && /[^/\0]\0$/.test(text)) {
      warnings.push(problemIn(policy, 'the pattern ends in a wildcard within a segment; did you mean "/*" at the segment\'s edge?', at));
    }
  }
  return warnings;
}

function patternProblem(pattern: Pattern): string | undefined {
  if (pattern.every((part) => part === "Wildcard")) {
    return pattern.length === 0
      ? "an empty pattern matches nothing that exists; say what it should match"
      : "a pattern of wildcards alone matches everything; leave the condition out where that is meant";
  }
  return textProblem(pattern.map((part) => (part === "Wildcard" ? "*" : part.Literal)).join(""));
}

function textProblem(text: string): string | undefined {
  if (text === "") return "an empty text equals nothing that exists (an empty fact is an absent one); test for presence with `has`";
  if (text.trim() !== text) return "the text begins or ends with a blank; delete it";
  if (text.normalize("NFC") !== text) return "the text is not in Unicode form NFC, and so equals no name; type it again";
  return undefined;
}

function nth(index: number, test: (token: Token) => boolean): (token: Token) => boolean {
  let seen = 0;
  return (token) => test(token) && seen++ === index;
}
