import { createHash } from "node:crypto";
import type { DescMethod } from "@bufbuild/protobuf";
import { context } from "@opentelemetry/api";
import type { Call, EdgeRequest } from "@sallyport/service";

/** A plain HTTP endpoint as the gate knows methods: its proofs are for `<audience>/oauth/<name>`. */
export const endpoint = (name: string) => ({ name, parent: { typeName: "oauth" } }) as unknown as DescMethod;

/** A plain HTTP request as a call, so that the one gate judges it too; `rqh` covers the form's bytes. */
export function edgeCall(request: EdgeRequest, method: DescMethod): { call: Call; headers: Record<string, string> } {
  const headers: Record<string, string> = {};
  const call: Call = {
    method,
    door: "edge",
    peer: { kind: "anonymous", address: request.address },
    signal: request.signal,
    deadline: undefined,
    metadata: request.headers,
    requestHash: createHash("sha256").update(request.body).digest(),
    trace: context.active(),
    setHeader: (name, value) => {
      headers[name] = value;
    },
  };
  return { call, headers };
}
