import { type Header, printable, Refusal } from "@sallyport/contracts";
import { isFillableHeader } from "@sallyport/guardrails";
import { holdsPlaceholder } from "./placeholders/find.ts";

/** Headers that an agent may send, beside `x-…` and `…-version`: what describes its request or the answer that it wants. */
const allowed = new Set([
  "accept",
  "accept-language",
  "anthropic-beta",
  "cache-control",
  "content-language",
  "content-type",
  "git-protocol",
  "idempotency-key",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-unmodified-since",
  "openai-organization",
  "openai-project",
  "prefer",
  "user-agent",
]);
/** Headers by which a target runs another method than the one that was judged. */
const overrides = /^(?:x-)?(?:http-)?method(?:-override)?$/;
/** Headers that tell a target where a request came from or what it asked for, as a proxy in front of it would. */
const ofProxies = /^x-(?:forwarded|real-ip|client-ip|cluster-client-ip|remote|original|rewrite|host|http|envoy|accel|sendfile|sallyport)/;
const credentials = /^x-(?:api-?key|auth|auth-key|auth-token|access-token|authorization)$/;
const maxHeaders = 64;
const maxValue = 8192;
const maxAll = 32_768;

/**
 * The agent's headers as they will be sent: lower-case names in order, each once. Anything that could change where the
 * request goes, who it comes from or where it ends is refused with its name, not dropped in silence.
 *
 * @throws Refusal INVALID_REQUEST
 */
export function parseHeaders(headers: readonly Pick<Header, "name" | "value">[]): [string, string][] {
  if (headers.length > maxHeaders) throw new Refusal("INVALID_REQUEST", `A request has at most ${maxHeaders} headers.`);
  const seen = new Map<string, string>();
  let length = 0;
  for (const { name, value } of headers) {
    const lower = name.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/.test(lower)) throw refused(name, "is no header name");
    if (!/^[\t\x20-\x7e]*$/.test(value))
      throw refused(name, "holds a line break or another character that is not printable ASCII; encode it");
    if (value.length > maxValue) throw refused(name, `is longer than ${maxValue} characters`);
    length += name.length + value.length;
    checkName(lower, name, holdsPlaceholder(value));
    if (seen.has(lower)) throw refused(name, "is there twice; which one counts cannot be known. Join its values with a comma");
    seen.set(lower, value.trim());
  }
  if (length > maxAll) throw new Refusal("INVALID_REQUEST", `The headers of a request have at most ${maxAll} characters together.`);
  return [...seen].sort(([a], [b]) => (a < b ? -1 : 1));
}

function checkName(lower: string, name: string, hasPlaceholder: boolean): void {
  // A gateway that turns headers into variables makes one name of `x_a` and `x-a`.
  const read = lower.replaceAll("_", "-");
  if (overrides.test(read)) throw refused(name, "asks for another method than the one that is judged; send that method itself");
  if (ofProxies.test(read)) throw refused(name, "speaks for a proxy, which the agent is not; leave it out");
  if (read === "range" || read === "if-range")
    throw refused(name, "asks for pieces of an answer, which can be masked as a whole only; leave it out");
  // For the broker to fill in; whether it may at this target is judged later.
  if (hasPlaceholder && isFillableHeader(read)) return;
  if (credentials.test(read) || !(allowed.has(lower) || read.startsWith("x-") || read.endsWith("-version"))) {
    throw refused(
      name,
      "is not the agent's to send: the broker and the target's configuration own what frames, routes and authenticates; leave it out",
    );
  }
}

const refused = (name: string, why: string) => new Refusal("INVALID_REQUEST", `Header "${printable(name, 64)}" ${why}.`);
