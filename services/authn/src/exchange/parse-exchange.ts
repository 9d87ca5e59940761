import { Binding, type ExchangeRequest, Refusal } from "@sallyport/contracts";
import { ceilingFromWire, parseAgentName } from "@sallyport/identity";
import type { ExchangeOrder } from "./exchange.ts";

/** An exchange as the gRPC message asks for it. @throws Refusal INVALID_REQUEST */
export function parseExchange(request: ExchangeRequest): ExchangeOrder {
  return {
    subjectToken: request.subjectToken,
    subjectTokenType: request.subjectTokenType,
    agentName: request.agentName === "" ? undefined : parseAgentName(request.agentName),
    // Present but empty is malformed, not "everything".
    ceiling: request.ceiling === undefined ? undefined : ceilingFromWire(request.ceiling),
    binding: parseBinding(request.binding),
  };
}

/** Absent means DPoP; a binding of a later version is refused. @throws Refusal INVALID_REQUEST */
export function parseBinding(binding: Binding): "dpop" | "mtls" {
  if (binding === Binding.UNSPECIFIED || binding === Binding.DPOP) return "dpop";
  if (binding === Binding.MTLS) return "mtls";
  throw new Refusal("INVALID_REQUEST", "This way of binding a credential is not known here: use DPoP or mTLS.");
}
