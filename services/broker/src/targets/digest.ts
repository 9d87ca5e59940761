import { createHash } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import { actionName } from "@sallyport/identity";
import canonicalize from "canonicalize";
import type { Ask } from "../use/ask.ts";
import type { Operation } from "./operation.ts";

/**
 * What an approval is for: SHA-256 over RFC 8785 canonical JSON of the parsed request, hex. Everything that could change what
 * happens is in it, so a grant is good for this chain's exact request and no other.
 *
 * @throws Refusal TOO_LARGE where the body's hash is not known beforehand
 */
export function digestOf(ask: Pick<Ask, "caller" | "action" | "secret">, secretVersion: string, operation: Operation): string {
  if (operation.upload !== undefined && operation.upload.sha256 === undefined) throw unknownBody();
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

const unknownBody = () =>
  new Refusal(
    "TOO_LARGE",
    "A person must approve this, and nobody can approve a body that is not there yet: send at most 1 MiB, or call UseUpload, which names the hash first.",
    { metadata: { effect: "none" } },
  );
