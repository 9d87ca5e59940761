import { type ServiceError, status } from "@grpc/grpc-js";
import { printable, Refusal, refusalFrom } from "@sallyport/contracts";

/** In a refusal's metadata: the connection failed, and whether the call had left this process by then. */
const sentKey = "sent";

/** What it means that no handler of Sallyport's answered. @param address for the sentence */
export const unreachable =
  (address: string) =>
  (error: ServiceError): Refusal => {
    switch (error.code) {
      case status.DEADLINE_EXCEEDED:
        return new Refusal("CANCELLED", "The call's time was over before it was answered; what it asked for may have happened.", {
          metadata: { [sentKey]: "maybe" },
        });
      case status.UNAVAILABLE:
        return notSent(error)
          ? new Refusal("TARGET_UNAVAILABLE", `Sallyport does not answer at ${address}: ${printable(error.details, 200)}.`, {
              metadata: { [sentKey]: "no" },
              retryAfterMs: 500,
            })
          : new Refusal("TARGET_UNAVAILABLE", `The connection to Sallyport at ${address} broke before the answer came.`, {
              metadata: { [sentKey]: "maybe" },
              cause: error.details,
            });
      default:
        return refusalFrom(error.code, printable(error.details, 200));
    }
  };

/** grpc-js fails a call that found no connection with these words, before any byte of it is sent. */
const notSent = ({ details }: ServiceError) => /^(No connection established|Name resolution failed)/.test(details);

/** For a call that must not simply be tried again: where nobody can know whether it took effect, this says so. */
export function effectOf(error: unknown): unknown {
  if (!(error instanceof Refusal) || error.reason !== "TARGET_UNAVAILABLE" || error.metadata[sentKey] !== "maybe") return error;
  return new Refusal("OUTCOME_UNKNOWN", "The connection to Sallyport broke; the effect may have happened. Look before you try again.", {
    metadata: { effect: "unknown" },
    cause: error,
  });
}
