import { Action, Refusal, type UseRequest } from "@sallyport/contracts";
import type { Call, Caller } from "@sallyport/service";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { type Operation, parseOperation } from "../targets/operation.ts";
import type { UseCommand } from "../use/use.ts";
import { addressOf, traceparentOf } from "./call-facts.ts";

/** The largest body that travels inside a UseRequest, bytes. */
export const maxInlineBytes = 1024 * 1024;

/** A use from the wire: what cannot be parsed is refused here, so that the core judges and sends one canonical form. */
export function parseUse(request: UseRequest, caller: Caller, call: Call, catalogue: Catalogue): UseCommand {
  const target = catalogue.target(request.target);
  const secret = catalogue.secretFor(request.secret, target);
  const operation = parseHttp(request, target);
  return {
    ask: {
      caller,
      action: Action.USE,
      secret,
      ...(request.secret === "" ? { secretImplied: true } : {}),
      target,
      context: { method: operation.method, path: operation.path },
    },
    operation,
    accessRequestId: request.accessRequestId,
    traceparent: traceparentOf(call),
    peerAddress: addressOf(call),
  };
}

function parseHttp(request: UseRequest, target: ReturnType<Catalogue["target"]>): Operation {
  const { operation } = request;
  if (operation.case !== "http")
    throw new Refusal("INVALID_REQUEST", "Name an operation: an HTTP request is the one kind that this version knows.");
  if (operation.value.body.length > maxInlineBytes)
    throw new Refusal("TOO_LARGE", "An inline body has at most 1 MiB; send a larger one with UseUpload.");
  return parseOperation(target.name, target.config, operation.value);
}
