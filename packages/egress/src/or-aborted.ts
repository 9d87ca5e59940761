/**
 * Waits for what cannot be told to stop, and leaves it behind once the signal aborts. Whatever becomes of it then is heard: a rejection
 * that nobody hears would end the process.
 *
 * @throws what the promise rejects with, or the signal's reason
 */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
