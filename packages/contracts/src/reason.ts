import { Code } from "./code.ts";

/**
 * Every reason with which Sallyport refuses, and how each transport says it: the gRPC status code, the HTTP status and
 * the command line's exit code. The names are stable; clients may switch on them.
 */
export const reasons = {
  UNAUTHENTICATED: { code: Code.Unauthenticated, http: 401, exit: 4 },
  PROOF_REQUIRED: { code: Code.Unauthenticated, http: 401, exit: 4 },
  PROOF_INVALID: { code: Code.Unauthenticated, http: 401, exit: 4 },
  CREDENTIAL_EXPIRED: { code: Code.Unauthenticated, http: 401, exit: 6 },
  CREDENTIAL_REVOKED: { code: Code.Unauthenticated, http: 401, exit: 6 },
  DENIED_BY_POLICY: { code: Code.PermissionDenied, http: 403, exit: 3 },
  POLICY_ERROR: { code: Code.PermissionDenied, http: 403, exit: 3 },
  DELEGATION_EXCEEDED: { code: Code.PermissionDenied, http: 403, exit: 3 },
  DELEGATION_TOO_DEEP: { code: Code.PermissionDenied, http: 403, exit: 3 },
  TICKET_INVALID: { code: Code.PermissionDenied, http: 403, exit: 3 },
  GUARDRAIL_BLOCKED: { code: Code.PermissionDenied, http: 403, exit: 3 },
  DESTINATION_NOT_ALLOWED: { code: Code.PermissionDenied, http: 403, exit: 3 },
  APPROVAL_REJECTED: { code: Code.PermissionDenied, http: 403, exit: 3 },
  APPROVAL_REQUIRED: { code: Code.FailedPrecondition, http: 403, exit: 5 },
  APPROVAL_EXPIRED: { code: Code.FailedPrecondition, http: 403, exit: 6 },
  RESPONSE_UNINSPECTABLE: { code: Code.Aborted, http: 502, exit: 1 },
  OUTCOME_UNKNOWN: { code: Code.Aborted, http: 502, exit: 1 },
  STORE_UNAVAILABLE: { code: Code.Unavailable, http: 503, exit: 7 },
  AUDIT_UNAVAILABLE: { code: Code.Unavailable, http: 503, exit: 7 },
  POLICY_UNAVAILABLE: { code: Code.Unavailable, http: 503, exit: 7 },
  STATE_UNAVAILABLE: { code: Code.Unavailable, http: 503, exit: 7 },
  MASKING_UNAVAILABLE: { code: Code.Unavailable, http: 503, exit: 7 },
  TARGET_UNAVAILABLE: { code: Code.Unavailable, http: 502, exit: 7 },
  RATE_LIMITED: { code: Code.ResourceExhausted, http: 429, exit: 7 },
  INVALID_REQUEST: { code: Code.InvalidArgument, http: 400, exit: 2 },
  TOO_LARGE: { code: Code.InvalidArgument, http: 413, exit: 2 },
  CANCELLED: { code: Code.Cancelled, http: 499, exit: 1 },
  INTERNAL: { code: Code.Internal, http: 500, exit: 1 },
} as const satisfies Record<string, { code: Code; http: number; exit: number }>;

/** A stable reason code; a key of {@link reasons}. */
export type Reason = keyof typeof reasons;

/** Whether a string from the wire is a reason that this version knows. */
export const isReason = (text: string): text is Reason => Object.hasOwn(reasons, text);
