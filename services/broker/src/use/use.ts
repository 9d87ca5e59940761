import { type Reason, Refusal } from "@sallyport/contracts";
import type { Intent } from "@sallyport/journal";
import type { Caller } from "@sallyport/service";
import { AnswerData } from "../data-masking/answer-data.ts";
import { againstData, withoutData } from "../data-masking/request-data.ts";
import type { Review } from "../reviews/review.ts";
import { stateAt } from "../reviews/review.ts";
import { withoutExports } from "../targets/exports/refuse-exports.ts";
import { type Operation, unfit } from "../targets/operation.ts";
import type { Holder } from "../targets/sender.ts";
import { type Ask, denied, type Judged, judge } from "./ask.ts";
import type { UseParts } from "./parts.ts";
import { type Ending, type UseFacts, useRecord } from "./records.ts";
import { opened, relay, type UsePart } from "./relay.ts";
import { Traffic } from "./traffic.ts";

/** A use as it arrives at the core: parsed, and by a caller who has proven who they are. */
export interface UseCommand {
  readonly ask: Ask & { readonly target: NonNullable<Ask["target"]> };
  readonly operation: Operation;
  readonly accessRequestId: string;
  readonly traceparent: string;
  readonly peerAddress: string | undefined;
}

/**
 * Uses a secret at a target, in the one order for every effect: decide, spend the approval, intent durable, value fetched
 * and masks ready, lease still held, effect, outcome durable. Whatever fails before the effect leaves nothing done; after it,
 * the outcome says what is known.
 */
export async function* use(command: UseCommand, parts: UseParts, signal: AbortSignal): AsyncGenerator<UsePart> {
  const { ask, operation } = command;
  const traffic = new Traffic(operation, (bytes) => parts.fingerprints.ofStatement(bytes));
  const facts: UseFacts = {
    ask,
    traceparent: command.traceparent,
    peerAddress: command.peerAddress,
    statement: {
      masked: parts.masks.mask(ask.caller.rootSid, operation.summary),
      keyedHash: parts.fingerprints.ofStatement(operation.exactBytes),
    },
  };
  const intent = await onRecord(facts, operation, parts, () => admit(command, facts, parts, signal));
  let began = false;
  let outcome: ReturnType<typeof useRecord> | undefined;
  let end: UsePart;
  try {
    const fetched = await parts.reader.read(ask.secret.name, undefined, signal);
    try {
      if (facts.secretVersion !== undefined && fetched.version !== facts.secretVersion) {
        throw new Refusal("APPROVAL_EXPIRED", "The secret has a new version since this request was approved; ask again.");
      }
      facts.secretVersion = fetched.version;
      const injected = await parts.inject(asSent(operation), fetched, signal);
      const issued = { secret: ask.secret.name, version: fetched.version };
      using masks = await parts.masks.including(ask.caller.rootSid, issued, fetched.fields, injected.derived);
      const target = parts.data.get(operation.target);
      const outgoing = withoutData(withoutExports(traffic.operation, masks.secrets), target);
      const data = target?.responses && new AnswerData(target, target.responses, ask.caller.rootSid);
      if (data !== undefined) traffic.data = data.counts;
      using watched = parts.gate.watch(ask.caller, signal);
      // Last thing before the effect: whoever was cut off or revoked meanwhile does not get to begin it.
      parts.gate.assertLive(ask.caller);
      signal.throwIfAborted();
      began = true;
      const answer = await parts.send(outgoing, injected, watched, holderOf(facts, fetched.version, parts));
      zero(fetched.fields);
      end =
        operation.webSocket === undefined || answer.webSocket === undefined
          ? yield* relay(answer, masks.set, intent.uid, watched, traffic, data)
          : yield* opened(answer, operation.webSocket, masks, { operation, eventUid: intent.uid, signal: watched, traffic });
      if (end.kind === "end") parts.masked(end.maskedValues);
      outcome = useRecord(facts, operation.method, { status: "success", details: traffic.details(true) }, answer.status);
    } finally {
      zero(fetched.fields);
    }
  } catch (error) {
    const refusal = refusalAfter(error, began, signal);
    outcome = useRecord(facts, operation.method, endingOf(refusal, began, traffic));
    throw refusal;
  } finally {
    parts.found(traffic.data);
    // An agent that stops reading ends this generator here, without an error: that too is an outcome.
    await intent.outcome(
      outcome ?? useRecord(facts, operation.method, endingOf(refusalAfter(undefined, began, AbortSignal.abort()), began, traffic)),
    );
  }
  // Only now: an agent that was told of the end finds it on record, whatever happens next.
  yield end;
}

/** Who may use the target's connection again: the same session, in the same way; an approval is good for one use and so is its connection. */
function holderOf({ ask, judged, accessRequestId }: UseFacts, secretVersion: string, { gate }: UseParts): Holder | undefined {
  if (accessRequestId !== undefined || judged === undefined) return undefined;
  return {
    sid: ask.caller.sid,
    secret: ask.secret.name,
    secretVersion,
    policyVersion: judged.policyVersion,
    live: () => {
      try {
        gate.assertLive(ask.caller);
        return true;
      } catch {
        return false;
      }
    },
    assertLive: () => gate.assertLive(ask.caller),
  };
}

/** Decides, spends the approval and makes the intent durable. @throws Refusal where any of it says no */
async function admit(command: UseCommand, facts: UseFacts, parts: UseParts, signal: AbortSignal): Promise<Intent> {
  const { ask, operation } = command;
  let judged = await judge(ask, parts.decisions, {}, signal);
  facts.judged = judged;
  let review: Review | undefined;
  // Said only to those whom policy allows the target, and before a person is troubled.
  const unfitBecause =
    judged.kind === "denied" ? undefined : (unfit(operation) ?? againstData(operation, parts.data.get(operation.target)));
  if (judged.kind === "needs-approval" && unfitBecause !== undefined) throw unfitBecause;
  if (judged.kind === "needs-approval") {
    const version = (await parts.reader.describe(ask.secret.name, signal)).version;
    const digest = parts.digest(ask, version, operation);
    facts.digest = digest;
    facts.secretVersion = version;
    review = command.accessRequestId === "" ? undefined : await grantFor(command.accessRequestId, digest, ask.caller, parts);
    if (review === undefined) throw await openReview(command, judged, digest, version, parts);
    facts.accessRequestId = review.id;
    facts.approvers = review.votes.filter((vote) => vote.approve).map((vote) => ({ id: vote.reviewer, at: vote.at }));
    const approvals = review.rules.map((rule) => ({ name: rule.name, digest, expiresAt: review?.grantExpiresAt ?? 0 }));
    judged = await judge(ask, parts.decisions, { digest, approvals }, signal);
    facts.judged = judged;
  }
  if (judged.kind === "needs-approval")
    throw new Refusal("APPROVAL_REQUIRED", "Policy asks for more than was approved; ask for access again.");
  if (judged.kind === "denied") throw denied(ask, judged);
  if (unfitBecause !== undefined) throw unfitBecause;
  if (review !== undefined && !(await parts.reviews.spend(review.id, facts.digest as string))) throw alreadyUsed();
  parts.gate.assertLive(ask.caller);
  return parts.evidence.intent(useRecord(facts, operation.method));
}

/** The grant that the agent names, if it is for exactly this request. */
async function grantFor(id: string, digest: string, caller: Caller, parts: UseParts): Promise<Review> {
  const review = await parts.reviews.find(id);
  // Another tree's request looks like one that does not exist.
  if (review === undefined || !review.chain.some((link) => link.sid === caller.sid)) {
    throw new Refusal("DENIED_BY_POLICY", "There is no such access request of yours; ask for access again.");
  }
  switch (stateAt(review, parts.clock.now())) {
    case "granted":
      if (review.digest === digest) return review;
      throw new Refusal(
        "DENIED_BY_POLICY",
        "This is not the request that was approved: method, path, headers, body, chain or secret version differ. Send the approved one, or ask for this one.",
      );
    case "pending":
      throw required(review);
    case "rejected":
      throw new Refusal("APPROVAL_REJECTED", "A reviewer rejected this request.", { metadata: { access_request_id: id } });
    case "expired":
      throw new Refusal("APPROVAL_EXPIRED", "The approval ran out before it was used; ask for access again.", {
        metadata: { access_request_id: id },
      });
    case "spent":
      throw alreadyUsed();
  }
}

async function openReview(
  command: UseCommand,
  judged: Extract<Judged, { kind: "needs-approval" }>,
  digest: string,
  version: string,
  parts: UseParts,
): Promise<Refusal> {
  return required(await parts.openReview({ command, judged, digest, version, reason: "" }));
}

export const required = (review: Review) =>
  new Refusal(
    "APPROVAL_REQUIRED",
    `A person must approve this first; it waits as ${review.id}. Wait for it (\`--wait\`, WaitForAccess), then send the same request with this id.`,
    {
      metadata: { access_request_id: review.id },
    },
  );

const alreadyUsed = () =>
  new Refusal("APPROVAL_EXPIRED", "This approval was used already; each is good for one use. Ask for access again.");

/** Runs what comes before the effect; what it refuses is on record with its reason. */
async function onRecord<T>(facts: UseFacts, operation: Operation, parts: UseParts, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const refusal = refusalAfter(error, false);
    await parts.evidence.refusal(useRecord(facts, operation.method, endingOf(refusal, false, new Traffic(operation))));
    throw refusal;
  }
}

/** A WebSocket is opened by a GET (RFC 6455 §4.1): that is what is signed. */
const asSent = (operation: Operation): Operation => (operation.webSocket === undefined ? operation : { ...operation, method: "GET" });

function refusalAfter(error: unknown, began: boolean, signal?: AbortSignal): Refusal {
  if (error instanceof Refusal) return error;
  const reason = signal?.reason;
  if (reason instanceof Refusal) return reason;
  if (signal?.aborted || (error as Error)?.name === "AbortError") {
    return new Refusal(
      "CANCELLED",
      began
        ? "The call was given up; what had been sent to the target may have taken effect."
        : "The call was given up before anything was sent.",
      { cause: error },
    );
  }
  return began
    ? new Refusal("OUTCOME_UNKNOWN", "The target broke off; the effect may have happened. Look before you try again.", {
        cause: error,
        metadata: { effect: "unknown" },
      })
    : new Refusal("INTERNAL", "Sallyport failed at this call; the operator finds the cause in the log by its trace id.", { cause: error });
}

/** Reasons for which an exchange ends before its answer does. */
const brokenOff: ReadonlySet<Reason> = new Set([
  "OUTCOME_UNKNOWN",
  "CANCELLED",
  "TARGET_UNAVAILABLE",
  "INTERNAL",
  "CREDENTIAL_REVOKED",
  "CREDENTIAL_EXPIRED",
  "STATE_UNAVAILABLE",
  // In the middle of an upload.
  "GUARDRAIL_BLOCKED",
]);

/** How a use ended that did not end well. After the request was sent, only the answer's end proves the effect. */
function endingOf(refusal: Refusal, began: boolean, traffic: Traffic): Ending {
  // The dialler and the sender say where nothing left this broker.
  const sent = began && refusal.metadata.effect !== "none";
  const { rule } = refusal.metadata;
  const unknown = sent && refusal.metadata.effect !== "happened" && brokenOff.has(refusal.reason);
  return {
    status: unknown ? "unknown" : "failure",
    reason: refusal.reason,
    sentence: refusal.message,
    details: { ...traffic.details(sent), ...(rule === undefined ? {} : { rule }) },
  };
}

function zero(fields: ReadonlyMap<string, Uint8Array>): void {
  for (const value of fields.values()) value.fill(0);
}
