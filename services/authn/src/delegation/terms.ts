import { Refusal } from "@sallyport/contracts";
import { parseCeilingName } from "@sallyport/identity";
import type { PolicyAnswer } from "../policy/policy-question.ts";

/** On what terms policy lets this chain start this child: obligations of the permits that decided. */
export interface DelegationTerms {
  /** Most agents in the chain, the child included. */
  readonly maxDepth: number;
  /** Most live agents of the principal, over all its trees. */
  readonly maxAgents: number;
  /** Most live children of this parent. */
  readonly maxChildren: number;
  /** Most tickets a minute for one principal's agents together. */
  readonly ticketsPerMinute: number;
  /** Whose workload identity the child must show beside its key, `<provider>/<subject>` or `<provider>/…/*`: each of them. */
  readonly workloads: readonly string[];
}

const limits = {
  maxDepth: "max_depth",
  maxAgents: "max_agents",
  maxChildren: "max_children",
  ticketsPerMinute: "tickets_per_minute",
} as const;
const workload = "workload";

/** The obligations that authn fulfils when it lets an agent start another. */
export const knownTerms: ReadonlySet<string> = new Set([...Object.values(limits), workload]);

/** Every permit's terms hold, so of several limits the lowest. @throws Refusal POLICY_ERROR for a term that cannot be read */
export function termsOf({ obligations }: PolicyAnswer): DelegationTerms {
  const lowest = (name: string) =>
    Math.min(Number.POSITIVE_INFINITY, ...obligations.filter((one) => one.name === name).map((one) => parseLimit(name, one.value)));
  return {
    maxDepth: lowest(limits.maxDepth),
    maxAgents: lowest(limits.maxAgents),
    maxChildren: lowest(limits.maxChildren),
    ticketsPerMinute: lowest(limits.ticketsPerMinute),
    workloads: obligations.filter(({ name }) => name === workload).map(({ value }) => parseWorkload(value)),
  };
}

function parseLimit(name: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw unreadable(name);
}

function parseWorkload(text: string): string {
  try {
    const name = parseCeilingName(text);
    if (name.includes("/")) return name;
  } catch {
    // said below
  }
  throw unreadable(workload);
}

const unreadable = (name: string) =>
  new Refusal("POLICY_ERROR", `A policy's @obligation_${name} cannot be read, so nobody may delegate by it; tell the policy's owner.`);
