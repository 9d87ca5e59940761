import { createRequire } from "node:module";

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

let done = false;

/**
 * kafkajs 2.2.4 sets a timer after every answer, even where nothing waits, with a delay that is negative unless the broker
 * throttles; Node says so on standard error. Where nothing waits there is nothing to check, so the timer is left out.
 */
export function quietRequestQueue(): void {
  if (done) return;
  done = true;
  const { prototype } = createRequire(import.meta.url)("kafkajs/src/network/requestQueue") as { prototype: RequestQueue };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}
