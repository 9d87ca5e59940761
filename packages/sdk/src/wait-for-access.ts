import { setTimeout as sleep } from "node:timers/promises";
import { AccessState, type BrokerService, Refusal, reasons } from "@sallyport/contracts";
import type { Client } from "@sallyport/service/client";

/** Seconds of one question; the broker allows 55. */
const askSeconds = 50;
const pauseMs = 500;

/**
 * Waits until people have decided, at most `timeoutMs`. A broker that stops or restarts meanwhile is asked again.
 *
 * @throws Refusal APPROVAL_REJECTED, APPROVAL_EXPIRED, or APPROVAL_REQUIRED where nobody has decided in time
 */
export async function waitForAccess(
  broker: Pick<Client<typeof BrokerService>, "waitForAccess">,
  accessRequestId: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const leftMs = Math.max(0, until - performance.now());
    const asked = performance.now();
    const state = await ask(broker, accessRequestId, Math.min(askSeconds, Math.ceil(leftMs / 1000)), leftMs > 0, signal);
    switch (state) {
      case AccessState.GRANTED:
        return;
      case AccessState.REJECTED:
        throw new Refusal("APPROVAL_REJECTED", "A reviewer rejected this request.", { metadata: { access_request_id: accessRequestId } });
      case AccessState.PENDING:
      case "unavailable":
        if (leftMs === 0) throw undecided(accessRequestId);
        // An answer that came at once would otherwise be asked for again at once.
        if (performance.now() - asked < pauseMs) await sleep(Math.min(pauseMs, leftMs), undefined, signal === undefined ? {} : { signal });
        break;
      default:
        throw new Refusal("APPROVAL_EXPIRED", "The request ran out or was used; ask for access again.", {
          metadata: { access_request_id: accessRequestId },
        });
    }
  }
}

async function ask(
  broker: Pick<Client<typeof BrokerService>, "waitForAccess">,
  accessRequestId: string,
  timeoutSeconds: number,
  patient: boolean,
  signal: AbortSignal | undefined,
): Promise<AccessState | "unavailable"> {
  try {
    const options = { timeoutMs: (timeoutSeconds + 10) * 1000, ...(signal === undefined ? {} : { signal }) };
    return (await broker.waitForAccess({ accessRequestId, timeoutSeconds }, options)).accessRequest?.state ?? AccessState.UNSPECIFIED;
  } catch (error) {
    if (patient && !signal?.aborted && mayRecover(error)) return "unavailable";
    throw error;
  }
}

/** Unavailable, or a replica that is stopping and says to ask another. */
const mayRecover = (error: unknown) =>
  error instanceof Refusal && (reasons[error.reason].exit === 7 || (error.reason === "CANCELLED" && error.retryAfterMs !== undefined));

const undecided = (id: string) =>
  new Refusal("APPROVAL_REQUIRED", `Nobody has decided yet; ${id} waits on. Ask a reviewer, then wait again.`, {
    metadata: { access_request_id: id },
  });
