import type { Policy } from "@sallyport/cedar";
import { parseGroup } from "@sallyport/identity";
import { parseDuration } from "./duration.ts";

/** Who may lift a forbid, and how; from the annotations of the forbid. */
export interface ApprovalRule {
  /** What the policy asks for in `context.approvals.contains("…")`. */
  readonly name: string;
  /** Groups whose members may vote, `<provider>/<group>`; at least one. */
  readonly reviewers: readonly string[];
  /** Distinct people needed, 1 to 10. */
  readonly quorum: number;
  /** Seconds that a review stays open. */
  readonly reviewSeconds: number;
  /** Seconds that a grant can be used once given. */
  readonly grantSeconds: number;
}

/** The annotations that make a forbid one that an approval lifts. */
export const approvalAnnotations: ReadonlySet<string> = new Set(["approval", "reviewers", "quorum", "review_for", "grant_for"]);

const nameForm = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const hour = 3600;

/** Reads the rule; where it cannot be, says why in a sentence. */
export function approvalRule(policy: Policy): ApprovalRule | { readonly refused: string } {
  const annotation = (name: string) => policy.annotations.get(name);
  const name = annotation("approval") ?? "";
  if (!nameForm.test(name))
    return { refused: '@approval names the approval with lower-case letters, digits, ".", "_" and "-", at most 63' };
  const reviewers = (annotation("reviewers") ?? "").split(",").map((group) => group.trim());
  if (!reviewers.every(isGroup)) return { refused: '@reviewers lists groups, "<provider>/<group>", parted by commas; at least one' };
  if (new Set(reviewers).size !== reviewers.length) return { refused: "@reviewers names a group twice" };
  const quorum = annotation("quorum") ?? "1";
  if (!/^([1-9]|10)$/.test(quorum)) return { refused: "@quorum is a whole number from 1 to 10" };
  const reviewSeconds = parseDuration(annotation("review_for") ?? "30m", 168 * hour);
  if (reviewSeconds === undefined) return { refused: '@review_for is a time such as "30m", from 1s to 168h' };
  const grantSeconds = parseDuration(annotation("grant_for") ?? "5m", 24 * hour);
  if (grantSeconds === undefined) return { refused: '@grant_for is a time such as "5m", from 1s to 24h' };
  return { name, reviewers, quorum: Number(quorum), reviewSeconds, grantSeconds };
}

/** Whether two policies that ask for the same approval ask for the same thing: a grant for one lifts the other. */
export const sameRule = (one: ApprovalRule, other: ApprovalRule): boolean =>
  one.quorum === other.quorum &&
  one.reviewSeconds === other.reviewSeconds &&
  one.grantSeconds === other.grantSeconds &&
  one.reviewers.toSorted().join() === other.reviewers.toSorted().join();

function isGroup(text: string): boolean {
  try {
    return parseGroup(text) === text;
  } catch {
    return false;
  }
}
