import { isSpanContextValid, trace } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import type { Chain } from "@sallyport/identity";
import type { Call } from "@sallyport/service";
import type { Protocol } from "../trust/trust-provider.ts";
import { type Attempt, refusedCall } from "./drafts.ts";
import type { Evidence, Origin } from "./evidence.ts";

/** What is known so far about the call that is being served. */
export interface Story {
  origin: Origin;
  /** Set once the caller is known. */
  chain: Chain | undefined;
  /** How an outside identity is being shown, where one is. */
  protocol?: Protocol;
}

/** Serves a call so that a refusal is on record before it is given. What succeeds records itself. */
export async function recorded<T>(evidence: Evidence, attempt: Attempt, call: Call, serve: (story: Story) => Promise<T>): Promise<T> {
  const story: Story = { origin: originOf(call), chain: undefined };
  try {
    return await serve(story);
  } catch (error) {
    const refusal =
      error instanceof Refusal ? error : new Refusal("INTERNAL", "Sallyport failed here; its log says why.", { cause: error });
    // Without a nonce a proof cannot be made: to ask for one is the protocol's first step, not an attempt at anything.
    if (refusal.reason !== "PROOF_REQUIRED") await evidence.refusal(refusedCall(attempt, refusal, story));
    throw error;
  }
}

function originOf({ peer, trace: context }: Call): Origin {
  return { address: peer.kind === "service" ? peer.spiffeId : peer.address, traceparent: traceparentOf(context) };
}

/** W3C Trace Context §3.2; undefined outside of a trace. */
function traceparentOf(context: Call["trace"]): string | undefined {
  const span = trace.getSpanContext(context);
  if (span === undefined || !isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, "0")}`;
}
