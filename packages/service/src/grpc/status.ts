import { Metadata, type ServerInterceptingCallInterface, type ServiceError, type StatusObject } from "@grpc/grpc-js";
import { Code, Refusal, refusalFrom, statusBytesOf, statusDetailsTrailer } from "@sallyport/contracts";

type PartialStatusObject = Parameters<ServerInterceptingCallInterface["sendStatus"]>[0];

/** A refusal as grpc-js sends it: status, sentence, and the details in the trailers. */
export function statusFor(refusal: Refusal): StatusObject {
  const metadata = new Metadata();
  metadata.set(statusDetailsTrailer, Buffer.from(statusBytesOf(refusal)));
  return { code: refusal.code, details: refusal.message, metadata };
}

/** A status object in the shape of an error, which is how streams carry it. */
export const errorFor = (refusal: Refusal): Error & StatusObject => Object.assign(new Error(refusal.message), statusFor(refusal));

/** Whether a status came from a Sallyport handler, or from the transport on the way. */
export const isOurs = (error: ServiceError): boolean => error.metadata?.get(statusDetailsTrailer).length > 0;

/**
 * What grpc-js refuses by itself has a code but no reason: it gets ours.
 */
export function statusOfTransport(status: PartialStatusObject): PartialStatusObject {
  if (status.code === undefined || status.code === Code.Ok || (status.metadata ?? null) !== null) return status;
  const text = status.details ?? "";
  if (status.code === Code.ResourceExhausted && /larger than/.test(text)) {
    return statusFor(new Refusal("TOO_LARGE", "The message is larger than 4 MiB; send a longer body as a stream."));
  }
  if (/decompress|compressed with|deserializing/i.test(text)) {
    return statusFor(new Refusal("INVALID_REQUEST", "The message's compression cannot be undone; send it plain or as gzip."));
  }
  return status;
}

/** What a client's error says. */
export function refusalOfError(error: ServiceError): Refusal {
  const bytes = error.metadata?.get(statusDetailsTrailer)[0];
  return refusalFrom(error.code, error.details, bytes instanceof Uint8Array ? bytes : undefined);
}
