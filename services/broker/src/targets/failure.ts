import { printable, Refusal } from "@sallyport/contracts";
import { errors } from "undici";
import type { Operation } from "./operation.ts";

/** Methods that ask for no effect (RFC 9110 §9.2.1). */
const safe = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * What a failed exchange is called. Refusals of the dialler say that nothing was sent. After that nobody can know whether the
 * target acted, unless the method asks for no effect.
 */
export function failureOf(
  error: unknown,
  operation: Pick<Operation, "target" | "method">,
  timeoutMs: number,
  signal: AbortSignal,
): unknown {
  if (error instanceof Refusal) return error;
  if (signal.aborted) return signal.reason;
  const target = `Target "${printable(operation.target)}"`;
  if (error instanceof errors.HeadersOverflowError) {
    return new Refusal("RESPONSE_UNINSPECTABLE", `${target} answered with more headers than are read. The effect may have happened.`, {
      cause: error,
      metadata: { effect: "unknown" },
    });
  }
  const what = isTimeout(error)
    ? `did not answer within ${timeoutMs / 1000} s`
    : error instanceof errors.HTTPParserError
      ? "gave an answer that is not valid HTTP"
      : "broke the connection off";
  return safe.has(operation.method)
    ? new Refusal("TARGET_UNAVAILABLE", `${target} ${what}; try again, or check whether it runs.`, {
        cause: error,
        retryAfterMs: 1000,
      })
    : new Refusal("OUTCOME_UNKNOWN", `${target} ${what}; the effect may have happened. Look before you try again.`, {
        cause: error,
        metadata: { effect: "unknown" },
      });
}

/** The exchange's own time limit, so that it is told from the caller's cancelling. */
export class AnswerTimeout extends Error {
  override readonly name = "AnswerTimeout";
}

const isTimeout = (error: unknown) =>
  error instanceof AnswerTimeout || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
