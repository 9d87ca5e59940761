import { printable, type Reason, Refusal } from "@sallyport/contracts";
import type { MaskSet } from "@sallyport/masking";
import type { WebSocket } from "ws";
import { blocked } from "../targets/blocked.ts";
import { holdsPlaceholder } from "../targets/placeholders/find.ts";
import { OneWay } from "./one-way.ts";
import type { Traffic } from "./traffic.ts";

/** Milliseconds without a message either way after which a WebSocket is closed. */
const idleMs = 10 * 60_000;
/** Milliseconds that the second side has to close once the first one has. */
const closingMs = 2_000;

export interface Conversation {
  readonly target: WebSocket;
  readonly tool: WebSocket;
  /** The target's name. */
  readonly name: string;
  /** Everything that no answer may show; and what of it the agent may not send either. */
  readonly masks: MaskSet;
  readonly secrets: MaskSet;
  readonly traffic: Traffic;
  /** Of one message. */
  readonly maxBytes: number;
  /** Ends it: revoked, or stopping. */
  readonly signal: AbortSignal;
}

/**
 * A WebSocket between tool and target, to its end. Only whole messages pass, and only their content: control frames end here, and are
 * answered here (RFC 6455 §5.5).
 *
 * @returns how many values were masked
 * @throws Refusal, or what `signal` was aborted with; both sides are told and closed
 */
export async function converse({ target, tool, name, masks, secrets, traffic, maxBytes, signal }: Conversation): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let maskedValues = 0;
  let idle: NodeJS.Timeout | undefined;
  const rest = () => {
    clearTimeout(idle);
    idle = setTimeout(() => reject(idleFor()), idleMs).unref();
  };
  const inwards = new OneWay({
    from: target,
    to: tool,
    values: masks,
    judge: (_message, found) => {
      maskedValues += found;
    },
    completed: () => cut(),
    passed: (bytes) => void [traffic.returnedMessage(bytes), rest()],
    failed: reject,
  });
  const outwards = new OneWay({
    from: tool,
    to: target,
    values: secrets,
    judge: (message, found) => {
      if (message.length > maxBytes) throw tooLarge(name, maxBytes);
      if (found > 0) throw exported(name);
      if (holdsPlaceholder(Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString("latin1"))) throw unfilled(name);
    },
    completed: () => exported(name),
    passed: (bytes) => void [traffic.sentMessage(bytes), rest()],
    failed: reject,
  });
  const aborted = () => reject(signal.reason);
  signal.addEventListener("abort", aborted, { once: true });
  target
    .on("error", (error) => reject(broke(error)))
    .on("close", (code, reason) => {
      if (code === 1006) return reject(broke());
      close(tool, code, inwards.closing(reason.toString()));
      resolve();
    });
  tool
    .on("error", () => tool.terminate())
    .on("close", (code, reason) => {
      close(target, code, outwards.closing(reason.toString()));
      resolve();
    });
  rest();
  try {
    // As if it were later, so that whatever the sides say at their end is heard.
    if (signal.aborted) aborted();
    else for (const side of [target, tool]) side.resume();
    await promise;
    return maskedValues;
  } catch (error) {
    close(tool, codeOf(error), error instanceof Refusal ? error.reason : "");
    close(target, 1001, "");
    throw error;
  } finally {
    clearTimeout(idle);
    signal.removeEventListener("abort", aborted);
    inwards.stop();
    outwards.stop();
    for (const side of [tool, target]) if (side.readyState !== side.CLOSED) setTimeout(() => side.terminate(), closingMs).unref();
  }
}

/** @param code as it came; what stands for no code, or for a broken connection, cannot be sent (RFC 6455 §7.4.1) */
function close(side: WebSocket, code: number, reason: string): void {
  if (side.readyState === side.CONNECTING || side.readyState === side.CLOSED) return side.terminate();
  side.resume();
  const sendable = (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
  if (sendable) side.close(code, shortened(reason));
  else side.close();
}

/** A close's reason has 123 bytes at most (RFC 6455 §5.5). Masked before: what is cut here is a placeholder at worst. */
function shortened(reason: string): string {
  let short = reason;
  while (Buffer.byteLength(short) > 123) short = short.slice(0, -1);
  return short.toWellFormed();
}

/** Policy violation for what is refused, internal error for what broke, try again later for what is not there. */
function codeOf(error: unknown): number {
  const reason: Reason | undefined = error instanceof Refusal ? error.reason : undefined;
  if (reason === "OUTCOME_UNKNOWN" || reason === undefined) return 1011;
  if (reason === "TOO_LARGE") return 1009;
  return reason === "STATE_UNAVAILABLE" || reason === "CANCELLED" ? 1013 : 1008;
}

const cut = () =>
  new Refusal(
    "RESPONSE_UNINSPECTABLE",
    "The target cut a secret's value into several messages; the WebSocket was closed. The effect has happened.",
    {
      metadata: { effect: "happened" },
    },
  );

const exported = (target: string) =>
  blocked(
    "secret-in-request",
    target,
    "a message holds a secret's value, which goes only where the target's configuration puts it; leave it out.",
    "unknown",
  );

const tooLarge = (target: string, maxBytes: number) =>
  new Refusal("TOO_LARGE", `Target "${printable(target)}" takes messages of at most ${maxBytes} bytes; this one is longer.`, {
    metadata: { effect: "unknown" },
  });

const unfilled = (target: string) =>
  blocked("placeholder", target, "a message holds a placeholder, and none is filled in there.", "unknown");

const idleFor = () =>
  new Refusal("CANCELLED", `The WebSocket had no message for ${idleMs / 60_000} minutes and was closed; open another one.`);

const broke = (cause?: unknown) =>
  new Refusal(
    "OUTCOME_UNKNOWN",
    "The target broke the WebSocket off; what was sent last may have had its effect. Look before you send it again.",
    {
      cause,
      metadata: { effect: "unknown" },
    },
  );
