import { Action } from "@sallyport/contracts";
import { apiActivity, type Draft, datastoreActivity, type EvidenceChain, type EvidenceStatus, type Facts } from "@sallyport/evidence";
import { actionName, type Chain } from "@sallyport/identity";
import type { Caller } from "@sallyport/service";
import type { Ask, Judged } from "./ask.ts";

/** How something ended, for its record. */
export interface Ending {
  readonly status: EvidenceStatus;
  readonly reason?: string;
  readonly sentence?: string;
  readonly details?: Record<string, string | number | boolean | readonly string[]>;
}

/** What is known of one use; grows while it goes on. */
export interface UseFacts {
  readonly ask: Ask;
  readonly traceparent: string;
  readonly peerAddress: string | undefined;
  /** Masked method and path, with a keyed hash of the exact bytes. */
  readonly statement?: { masked: string; keyedHash: string };
  judged?: Judged;
  secretVersion?: string;
  digest?: string;
  accessRequestId?: string;
  approvers?: readonly { id: string; at: number }[];
}

export const evidenceChain = (chain: Chain): EvidenceChain => ({ links: chain.links, groups: chain.groups });

/** Who asked and through whom, as every record of the broker's starts. */
export const callerFacts = (caller: Caller, traceparent: string, peerAddress?: string): Pick<Facts, "chain" | "traceparent" | "peer"> => ({
  chain: evidenceChain(caller.chain),
  traceparent,
  peer: { address: peerAddress, thumbprint: caller.thumbprint },
});

/** The record of a use: its intent without an ending, its outcome or refusal with one. */
export function useRecord(facts: UseFacts, method: string, ending?: Ending, responseCode?: number): Draft {
  return apiActivity(activityOf(method), {
    ...common(facts, ending),
    event: "secret.use",
    api: { operation: facts.statement?.masked ?? method, service: facts.ask.target?.name, responseCode },
  });
}

/** The record of a listing, a description or a write. */
export function secretRecord(facts: UseFacts, store: string, ending?: Ending): Draft {
  const activity =
    ({ [Action.LIST]: "list", [Action.READ]: "read", [Action.WRITE]: "write" } as const)[facts.ask.action as 1 | 2 | 4] ?? "query";
  return datastoreActivity(activity, {
    ...common(facts, ending),
    event: `secret.${actionName(facts.ask.action)}`,
    datastore: { name: store, kind: "secret-store" },
  });
}

function common(facts: UseFacts, ending: Ending | undefined): Omit<Facts, "event"> {
  const { ask, judged } = facts;
  return {
    ...callerFacts(ask.caller, facts.traceparent, facts.peerAddress),
    action: actionName(ask.action),
    secret: { name: ask.secret.name, version: facts.secretVersion },
    ...(ask.target === undefined ? {} : { target: { name: ask.target.name, kind: ask.target.config?.kind } }),
    statement: facts.statement,
    requestDigest: facts.digest,
    ...(judged === undefined ? {} : { policies: { version: judged.policyVersion, determining: judged.policies } }),
    accessRequestId: facts.accessRequestId,
    approvers: facts.approvers,
    ...ending,
    details: { ...(judged?.kind === "denied" ? { decided_by: judged.sentence } : {}), ...ending?.details },
  };
}

const activityOf = (method: string) =>
  (({ GET: "read", HEAD: "read", OPTIONS: "read", POST: "create", PUT: "update", PATCH: "update", DELETE: "delete" }) as const)[
    method as "GET"
  ] ?? ("other" as const);
