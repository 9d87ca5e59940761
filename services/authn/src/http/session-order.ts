import { parseAgentName } from "@sallyport/identity";
import type { SessionOrder } from "../exchange/exchange.ts";
import { ceilingFromDetails } from "./authorization-details.ts";
import { invalid } from "./form.ts";

/** The parameters of a token request, each once. */
export type Form = ReadonlyMap<string, string>;

/** What a token request asks of the session that it begins. @throws Refusal INVALID_REQUEST */
export function sessionOrderOf(form: Form): SessionOrder {
  const agentName = form.get("agent_name");
  return {
    agentName: agentName === undefined ? undefined : parseAgentName(agentName),
    ceiling: ceilingOf(form),
    binding: bindingOf(form),
  };
}

export function ceilingOf(form: Form) {
  const details = form.get("authorization_details");
  return details === undefined ? undefined : ceilingFromDetails(details);
}

function bindingOf(form: Form): "dpop" | "mtls" {
  const binding = form.get("binding") ?? "dpop";
  if (binding === "dpop" || binding === "mtls") return binding;
  throw invalid("The binding can only be dpop or mtls.");
}
