import { isIPv6 } from "node:net";

/**
 * A host in the one form that is judged and dialled: what the WHATWG URL standard makes of it, so that `0177.0.0.1`,
 * `0x7f000001`, `2130706433` and `ｌocalhost` are what they mean. IPv6 comes without brackets; undefined where it is no host,
 * or has a zone (RFC 6874), which only this machine could interpret.
 */
export function canonicalHost(text: string): string | undefined {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (bare === "" || /[\s/?#@\\%<>^|[\]]/u.test(bare)) return undefined;
  const authority = isIPv6(bare) ? `[${bare}]` : bare.includes(":") ? undefined : bare;
  if (authority === undefined || !URL.canParse(`http://${authority}/`)) return undefined;
  return withoutBrackets(new URL(`http://${authority}/`).hostname);
}

const withoutBrackets = (hostname: string) => (hostname.startsWith("[") ? hostname.slice(1, -1) : hostname);
