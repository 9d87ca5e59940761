import { setTimeout as delay } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import type { Moment } from "./credential-issuer.ts";

const maxTries = 4;

export interface Times {
  readonly clock: { now(): number };
  /** The state's epoch now. @throws Refusal STATE_UNAVAILABLE while there is none */
  readonly epoch: () => number;
}

/**
 * Does something that must count from a whole second which no revocation has reached. Times in credentials are whole seconds,
 * rounded down, and a revocation takes everything of its own second, so that nothing that existed escapes it. What begins
 * anew right after a revocation therefore waits for the next second: at most one second, and only then.
 *
 * The moment is taken before anything is read, so that whatever is revoked after the reading is never older than it.
 * @param attempt `dead` where what it found is revoked in that second, and would not be in a later one
 */
export async function inLiveSecond<T>({ clock, epoch }: Times, attempt: (moment: Moment) => Promise<T | "dead">): Promise<T> {
  for (let tries = 0; tries < maxTries; tries++) {
    const result = await attempt({ second: Math.floor(clock.now() / 1000), epoch: epoch() });
    if (result !== "dead") return result;
    await delay(1000 - (Math.floor(clock.now()) % 1000));
  }
  throw new Refusal("CREDENTIAL_REVOKED", "What this would stand for was revoked a moment ago: try again in a few seconds.", {
    retryAfterMs: 2000,
  });
}
