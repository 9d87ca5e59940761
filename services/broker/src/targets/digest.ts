import { createHash } from "node:crypto";
import { actionName } from "@sallyport/identity";
import canonicalize from "canonicalize";
import type { Ask } from "../use/ask.ts";
import type { Operation } from "./operation.ts";

/**
 * What an approval is for: SHA-256 over RFC 8785 canonical JSON of the parsed request, hex. Everything that could change what
 * happens is in it, so a grant is good for this chain's exact request and no other.
 */
export function digestOf(ask: Pick<Ask, "caller" | "action" | "secret">, secretVersion: string, operation: Operation): string {
  const subject = {
    chain: ask.caller.chain.links.map(({ id, sid }) => [id, sid]),
    action: actionName(ask.action) ?? "",
    secret: ask.secret.name,
    secretVersion,
    target: operation.target,
    method: operation.method,
    // As sent, so that not even the case of an encoding differs from what was approved.
    path: operation.sent,
    headers: operation.headers,
    body: operation.bodyHash,
  };
  return createHash("sha256")
    .update(canonicalize(subject) ?? "")
    .digest("hex");
}
