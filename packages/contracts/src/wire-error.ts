import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code } from "./code.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "./gen/google/rpc/status_pb.ts";
import { isReason, type Reason } from "./reason.ts";
import { Refusal, type RefusalOptions } from "./refusal.ts";

/** The `domain` of every ErrorInfo that Sallyport sends. */
export const errorDomain = "sallyport";

/** The trailer in which gRPC carries google.rpc.Status (gRPC richer error model). */
export const statusDetailsTrailer = "grpc-status-details-bin";

/** A refusal as google.rpc.Status; its `cause` stays behind. */
export function statusOf(refusal: Refusal): Status {
  const details = [
    anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason: refusal.reason, domain: errorDomain, metadata: { ...refusal.metadata } })),
  ];
  if (refusal.retryAfterMs !== undefined) {
    const ms = Math.max(0, Math.ceil(refusal.retryAfterMs));
    const retryDelay = { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
    details.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay })));
  }
  return create(StatusSchema, { code: refusal.code, message: refusal.message, details });
}

/** The bytes of {@link statusDetailsTrailer}. */
export const statusBytesOf = (refusal: Refusal): Uint8Array => toBinary(StatusSchema, statusOf(refusal));

/**
 * Reads a refusal back from the wire. Without details the gRPC code alone decides: what cannot be understood is a
 * failure, never a success.
 */
export function refusalFrom(code: number, message: string, statusBytes?: Uint8Array): Refusal {
  const status = statusBytes === undefined ? undefined : parseStatus(statusBytes);
  for (const detail of status?.details ?? []) {
    const info = anyUnpack(detail, ErrorInfoSchema);
    if (info?.domain === errorDomain && isReason(info.reason)) {
      return new Refusal(info.reason, message, optionsFrom(status as Status, info.metadata));
    }
  }
  return new Refusal(reasonForCode(code), message);
}

function optionsFrom(status: Status, metadata: Record<string, string>): RefusalOptions {
  for (const detail of status.details) {
    const delay = anyUnpack(detail, RetryInfoSchema)?.retryDelay;
    if (delay !== undefined) return { metadata, retryAfterMs: Number(delay.seconds) * 1000 + Math.ceil(delay.nanos / 1_000_000) };
  }
  return { metadata };
}

function parseStatus(bytes: Uint8Array): Status | undefined {
  try {
    return fromBinary(StatusSchema, bytes);
  } catch {
    return undefined;
  }
}

/** The reason for a bare gRPC code, as another implementation or a middlebox would send it. */
function reasonForCode(code: number): Reason {
  switch (code) {
    case Code.Unauthenticated:
      return "UNAUTHENTICATED";
    case Code.PermissionDenied:
      return "DENIED_BY_POLICY";
    case Code.InvalidArgument:
    case Code.OutOfRange:
    case Code.NotFound:
    case Code.Unimplemented:
      return "INVALID_REQUEST";
    case Code.ResourceExhausted:
      return "RATE_LIMITED";
    case Code.Cancelled:
      return "CANCELLED";
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return "TARGET_UNAVAILABLE";
    default:
      return "INTERNAL";
  }
}
