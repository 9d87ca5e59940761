import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import type { Policy } from "./policy.ts";
import { offsetOfByte, type PolicyFile, problemAt } from "./policy-file.ts";
import type { PolicyProblem } from "./problem.ts";
import { type PolicyText, splitPolicies } from "./split-policies.ts";
import { validatePolicies } from "./validate-policies.ts";

/** Bounds of a policy set: beyond them it is refused rather than tried. */
export const policyLimits = { fileCharacters: 1 << 20, policyCharacters: 16_384, nesting: 100, policies: 10_000 } as const;

/** Problems that are told of one file at most: after that many another one helps nobody. */
const problemsPerFile = 20;

export type Parsed =
  | { kind: "parsed"; policies: readonly Policy[]; warnings: readonly PolicyProblem[] }
  | { kind: "refused"; problems: readonly PolicyProblem[] };

/** One canonical form for a policy's id: ASCII, so that no look-alike is a second policy. */
const idForm = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/;

// What a reader cannot see must not decide: control characters, bidirectional overrides, zero-width marks.
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;

/**
 * Parses files of policies with Cedar's own parser, takes each policy's id from its `@id` annotation, and validates all of
 * them strictly against the schema. All or nothing: one problem refuses the set.
 */
export function parsePolicies(files: readonly PolicyFile[], schema: string): Parsed {
  const problems: PolicyProblem[] = [];
  const policies = new Map<string, Policy>();
  for (const file of files) {
    const parsed = parseFile(file);
    problems.push(...parsed.problems);
    for (const policy of parsed.policies) {
      const first = policies.get(policy.id);
      if (first === undefined) policies.set(policy.id, policy);
      else
        problems.push(
          problemAt(
            file,
            policy.offset,
            `the id "${policy.id}" is taken by a policy in ${first.file.name}; give each policy an @id of its own`,
          ),
        );
    }
  }
  if (policies.size > policyLimits.policies) {
    const [file] = files;
    problems.push({
      file: file?.name ?? ".",
      line: 1,
      column: 1,
      message: `there are ${policies.size} policies; at most ${policyLimits.policies} are served`,
    });
  }
  if (problems.length > 0) return { kind: "refused", problems };
  const { errors, warnings } = validatePolicies(policies, schema);
  return errors.length > 0 ? { kind: "refused", problems: errors } : { kind: "parsed", policies: [...policies.values()], warnings };
}

function parseFile(file: PolicyFile): { policies: Policy[]; problems: PolicyProblem[] } {
  const refused = (problem: PolicyProblem) => ({ policies: [], problems: [problem] });
  if (file.text.length > policyLimits.fileCharacters) return refused(problemAt(file, 0, "the file is larger than 1 MiB; split it"));
  const hidden = file.text.replace(/[\t\r\n]/g, " ").search(unseen);
  if (hidden >= 0) {
    const code = file.text.codePointAt(hidden)?.toString(16);
    return refused(problemAt(file, hidden, `there is an invisible character (U+${code?.padStart(4, "0")}) here; delete it`));
  }
  const texts = splitPolicies(file.text);
  if (texts.length === 0) return refused(problemAt(file, 0, "there is no policy in this file; write one or remove the file"));
  const policies: Policy[] = [];
  const problems: PolicyProblem[] = [];
  if (texts.length > policyLimits.policies)
    return refused(problemAt(file, 0, `the file has more than ${policyLimits.policies} policies; split it`));
  for (const text of texts) {
    if (problems.length === problemsPerFile) break;
    const parsed = parsePolicy(file, text);
    if ("message" in parsed) problems.push(parsed);
    else policies.push(parsed);
  }
  if (problems.length === 0 && cedarCount(file.text) !== policies.length)
    problems.push(problemAt(file, 0, "the file cannot be cut into policies"));
  return { policies, problems };
}

/** How many policies Cedar itself sees in a file: it must be what we cut. */
function cedarCount(text: string): number {
  const parts = cedar.policySetTextToParts(text);
  return parts.type === "success" ? parts.policies.length + parts.policy_templates.length : -1;
}

function parsePolicy(file: PolicyFile, { text, offset, depth }: PolicyText): Policy | PolicyProblem {
  if (text.length > policyLimits.policyCharacters || depth > policyLimits.nesting) {
    return problemAt(file, offset, `the policy is too large or nests deeper than ${policyLimits.nesting}; split it`);
  }
  const answer = cedar.policyToJson(text);
  if (answer.type === "failure") {
    const [error] = answer.errors;
    const [place] = error?.sourceLocations ?? [];
    const message = [error?.message.replace(/^failed to parse policy from string: /, ""), place?.label, error?.help]
      .filter(Boolean)
      .join("; ");
    return problemAt(file, offset + (place === undefined ? 0 : offsetOfByte(text, place.start)), message || "this is not a policy");
  }
  const annotations = new Map(Object.entries(answer.json.annotations ?? {}).map(([name, value]) => [name, value ?? ""]));
  const id = annotations.get("id");
  if (id === undefined) return problemAt(file, offset, 'the policy has no @id("…"); every policy is named, so that decisions can name it');
  if (!idForm.test(id))
    return problemAt(file, offset, 'an @id has letters, digits, ".", "_", "/" and "-", at most 100, and begins with a letter or digit');
  return { id, effect: answer.json.effect, annotations, json: answer.json, text, file, offset };
}
