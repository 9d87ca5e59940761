import { toJson } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ErrorInfoSchema, type Reason, type Refusal, reasons, statusOf } from "@sallyport/contracts";
import type { EdgeResponse } from "./edge-route.ts";

/** `permission_denied`: a code's name in the Connect protocol (Connect, "Error Codes"). */
export function connectCodeName(code: Code): string {
  const name = Object.entries(Code).find(([, value]) => value === code)?.[0] ?? "Unknown";
  return name === "Cancelled" ? "canceled" : name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

export const httpStatusOf = (reason: Reason): number => reasons[reason].http;

/** A refusal as the edge says it everywhere: the error of a Connect unary call in JSON. */
export function edgeError(refusal: Refusal): EdgeResponse {
  const details = statusOf(refusal).details.map((detail) => {
    const info = anyUnpack(detail, ErrorInfoSchema);
    return {
      type: detail.typeUrl.slice(detail.typeUrl.lastIndexOf("/") + 1),
      value: Buffer.from(detail.value).toString("base64").replace(/=+$/, ""),
      ...(info === undefined ? {} : { debug: toJson(ErrorInfoSchema, info) }),
    };
  });
  return {
    status: httpStatusOf(refusal.reason),
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code: connectCodeName(refusal.code), message: refusal.message, details }),
  };
}
