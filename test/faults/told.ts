import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Agent, Refusal } from "@sallyport/sdk";

/** What came of a use or any other call: the reason of its refusal, or `done`. Anything but a refusal is a fault. */
export async function told(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return "done";
  } catch (error) {
    assert.ok(error instanceof Refusal, `not a refusal: ${(error as Error).stack}`);
    return error.reason;
  }
}

/** The refusal that a call ends with. */
export async function refusalOf(call: () => Promise<unknown>): Promise<Refusal> {
  const error = await call().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Refusal, error === undefined ? "it was not refused" : `not a refusal: ${(error as Error).stack}`);
  return error;
}

/** A whole use: sent, and its answer read to the end. */
export const read = (agent: Agent, path: string, timeoutMs = 10_000): Promise<string> =>
  agent.use({ target: "orders-read", path, timeoutMs }).then((answer) => answer.text());

/** Tries until it is told `wanted`. @returns milliseconds that it took */
export async function eventually(wanted: string, call: () => Promise<unknown>, timeoutMs = 20_000): Promise<number> {
  const began = performance.now();
  for (let last = ""; ; await sleep(25)) {
    last = await told(call);
    const after = performance.now() - began;
    if (last === wanted) return after;
    assert.ok(after < timeoutMs, `after ${timeoutMs} ms still ${last} and not ${wanted}`);
  }
}

/**
 * What a call gives once the machine has time for it: on one that has much else to do a lease may be lost for a moment. A token for single
 * use from the very second in which the state began is made anew, too.
 * @throws what else it is refused for; these after `timeoutMs`
 */
export async function steadily<T>(call: () => Promise<T>, timeoutMs = 20_000): Promise<T> {
  for (const until = performance.now() + timeoutMs; ; await sleep(50)) {
    try {
      return await call();
    } catch (error) {
      const passing =
        error instanceof Refusal && (error.reason === "STATE_UNAVAILABLE" || /older than Sallyport's state/.test(error.message));
      if (!passing || performance.now() > until) throw error;
    }
  }
}
