import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Health, type HealthCheckResponseSchema, HealthCheckResponse_ServingStatus as Status } from "@sallyport/contracts";
import type { Call, Handlers } from "../handler.ts";

type Answer = MessageInitShape<typeof HealthCheckResponseSchema>;

const pollMs = 1000;

/**
 * grpc.health.v1 over a question that is asked each time.
 *
 * @param status of a service by its full name or short one, or of the whole server for ""; undefined where it is unknown
 */
export function healthHandlers(status: (service: string) => boolean | undefined): Handlers<typeof Health> {
  const answer = (service: string): { status: Status } => {
    const serving = status(service);
    return { status: serving === undefined ? Status.SERVICE_UNKNOWN : serving ? Status.SERVING : Status.NOT_SERVING };
  };
  return {
    check: async ({ service }) => answer(service),
    async *watch({ service }, call: Call): AsyncIterable<Answer> {
      let last: Status | undefined;
      while (!call.signal.aborted) {
        const now = answer(service);
        if (now.status !== last) yield now;
        last = now.status;
        await pause(pollMs, call.signal);
      }
    },
  };
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
