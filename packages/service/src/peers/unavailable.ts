import type { ServiceError } from "@grpc/grpc-js";
import { type Reason, Refusal } from "@sallyport/contracts";
import type { ServiceRole } from "../handler.ts";

const reasons: Record<ServiceRole, Reason> = {
  authn: "STATE_UNAVAILABLE",
  pdp: "POLICY_UNAVAILABLE",
  broker: "STORE_UNAVAILABLE",
  audit: "AUDIT_UNAVAILABLE",
};

/** What it means for the caller's caller that a peer did not answer. */
export const unavailable = (role: ServiceRole, cause?: ServiceError): Refusal =>
  new Refusal(reasons[role], `The ${role} service does not answer; try again, and if it lasts tell the operator.`, {
    retryAfterMs: 500,
    ...(cause === undefined ? {} : { cause: cause.message }),
  });
