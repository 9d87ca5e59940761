import type { Readable } from "node:stream";
import { Refusal } from "@sallyport/contracts";
import { endToEnd, linesOf } from "./header-lines.ts";
import type { HttpAnswer } from "./operation.ts";

export interface AnswerBounds {
  /** Of the body as sent. */
  readonly maxBodyBytes: number;
  /** What a failure in the middle of the answer is. */
  failure(error: unknown): unknown;
  /** Called once, when the answer was read to its end (`whole`), failed, or was given up. */
  ended(how: { readonly whole: boolean; readonly error?: unknown }): void;
}

/** As much of an answer as is read here: undici's, or node:http's. */
interface Received {
  readonly statusCode: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Readable;
  readonly trailers?: unknown;
}

export function answerOf(answer: Received, bounds: AnswerBounds): HttpAnswer {
  let over = false;
  const end: AnswerBounds["ended"] = (how) => {
    if (over) return;
    over = true;
    // What was not read of it is nobody's.
    if (!how.whole) answer.body.on("error", () => undefined).destroy();
    bounds.ended(how);
  };
  return {
    status: answer.statusCode,
    headers: endToEnd(linesOf(answer.headers)),
    body: bounded(answer, bounds, end),
    trailers: () => endToEnd(linesOf((answer.trailers ?? {}) as Record<string, string | string[] | undefined>)),
    discard: () => end({ whole: false }),
  };
}

async function* bounded(answer: Received, bounds: AnswerBounds, end: AnswerBounds["ended"]): AsyncIterable<Uint8Array> {
  let length = 0;
  try {
    for await (const piece of answer.body as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > bounds.maxBodyBytes) {
        throw new Refusal(
          "RESPONSE_UNINSPECTABLE",
          `The target's answer is longer than the ${bounds.maxBodyBytes} bytes that are allowed here; the rest was cut off. The effect has happened.`,
          {
            metadata: { effect: "happened" },
          },
        );
      }
      yield piece;
    }
    end({ whole: true });
  } catch (error) {
    const failure = error instanceof Refusal ? error : bounds.failure(error);
    end({ whole: false, error: failure });
    throw failure;
  } finally {
    end({ whole: false });
  }
}
