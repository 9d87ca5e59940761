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

/** An answer that has begun. */
export interface Received {
  readonly statusCode: number;
  readonly headers: Record<string, string | string[] | undefined>;
  /** In pieces, as fast as they are taken. Throws what broke it off. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Known once the body was read. */
  readonly trailers?: Record<string, string | string[] | undefined>;
  /** Gives up what was not read. */
  discard(): void;
}

export function answerOf(answer: Received, bounds: AnswerBounds): HttpAnswer {
  let over = false;
  const end: AnswerBounds["ended"] = (how) => {
    if (over) return;
    over = true;
    if (!how.whole) answer.discard();
    bounds.ended(how);
  };
  return {
    status: answer.statusCode,
    headers: endToEnd(linesOf(answer.headers)),
    body: bounded(answer, bounds, end),
    trailers: () => endToEnd(linesOf(answer.trailers ?? {})),
    discard: () => end({ whole: false }),
  };
}

async function* bounded(answer: Received, bounds: AnswerBounds, end: AnswerBounds["ended"]): AsyncIterable<Uint8Array> {
  let length = 0;
  try {
    for await (const piece of answer.body) {
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
