import { reasonOf } from "./failure.ts";

/**
 * Waits for promises, one after the other, but no longer than until the signal aborts; then it throws the signal's
 * refusal. One listener for all: `Promise.race` with a promise that lives as long as the stream would grow with each message.
 */
export function untilAborted(signal: AbortSignal): { wait<T>(promise: Promise<T>): Promise<T>; release(): void } {
  let abandon: ((error: unknown) => void) | undefined;
  const onAbort = () => abandon?.(reasonOf(signal));
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    wait: <T>(promise: Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        abandon = reject;
        promise.then(resolve, reject);
        if (signal.aborted) onAbort();
      }),
    release: () => signal.removeEventListener("abort", onAbort),
  };
}
