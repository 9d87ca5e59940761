import { type Reason, reasons } from "./reason.ts";

export interface RefusalOptions {
  /** Facts for machines, sent to the caller: never a value, a token or a ticket. */
  metadata?: Record<string, string>;
  /** Milliseconds after which another try makes sense; sent as google.rpc.RetryInfo. */
  retryAfterMs?: number;
  /** What went wrong underneath: for logs only, never sent. */
  cause?: unknown;
}

/**
 * A refusal that crosses a service's edge: a stable reason and one sentence that says what happened and what to do.
 * Every transport carries both. Throw it only where the caller can do nothing but pass it on; a function with several
 * outcomes returns them.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reason: Reason;
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;

  /**
   * @param reason the stable reason
   * @param sentence for a person; no value, token, ticket, or unescaped text of the caller's
   */
  constructor(reason: Reason, sentence: string, options: RefusalOptions = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.metadata = options.metadata ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }

  get code() {
    return reasons[this.reason].code;
  }
}
