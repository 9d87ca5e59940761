import { type Header, printable, Refusal } from "@sallyport/contracts";

/** Headers that an agent may send: what describes its request, and nothing that frames, routes or authenticates it. */
const allowed = new Set([
  "accept",
  "accept-language",
  "content-type",
  "content-language",
  "idempotency-key",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "prefer",
  "user-agent",
]);
/** Headers that end in judging one request and running another, wherever a target honours them. */
const overrides = /^x-(?:http-)?method(?:-override)?$/;
const maxHeaders = 64;
const maxValue = 8192;

/**
 * The agent's headers as they will be sent: lower-case names in order, each once. Anything that could change where the
 * request goes, who it comes from or where it ends is refused with its name, not dropped in silence.
 */
export function parseHeaders(headers: readonly Header[]): [string, string][] {
  if (headers.length > maxHeaders) throw new Refusal("INVALID_REQUEST", `A request has at most ${maxHeaders} headers.`);
  const seen = new Map<string, string>();
  for (const { name, value } of headers) {
    const lower = name.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/.test(lower)) throw refused(name, "is no header name");
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value) || value.length > maxValue)
      throw refused(name, "holds a line break or another character that a header cannot carry");
    if (overrides.test(lower)) throw refused(name, "asks for another method than the one that is judged");
    if (!allowed.has(lower) && !lower.startsWith("x-"))
      throw refused(name, "is not the agent's to send; the target's configuration owns it");
    if (/^x-(?:forwarded|real-ip|original|rewrite|sallyport|accel|sendfile)/.test(lower))
      throw refused(name, "speaks for a proxy, which the agent is not");
    if (seen.has(lower)) throw refused(name, "is there twice; which one counts cannot be known");
    seen.set(lower, value.trim());
  }
  return [...seen].sort(([a], [b]) => (a < b ? -1 : 1));
}

const refused = (name: string, why: string) => new Refusal("INVALID_REQUEST", `Header "${printable(name, 64)}" ${why}.`);
