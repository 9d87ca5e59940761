import { Refusal } from "@sallyport/contracts";
import type { HeaderLines } from "../targets/header-lines.ts";
import { isSame, type Origin, parseAuthority, type Scheme } from "./authority.ts";
import { disagreement } from "./http2.ts";
import { once } from "./tool-headers.ts";

/**
 * Path and query of a request on a connection to one origin (RFC 9112 §3.2): in origin-form, or in absolute-form where it names
 * the same. Its one `Host` names that origin too.
 *
 * @throws Refusal INVALID_REQUEST
 */
export function sentTo(origin: Origin, target: string, headers: HeaderLines): string {
  const absolute = target.startsWith("/") ? undefined : absoluteForm(target);
  const host = parseAuthority(once(headers, "host") ?? "", origin.scheme);
  if (host === undefined || !isSame(host, origin)) throw disagreement();
  if (absolute !== undefined && !isSame(absolute.origin, origin)) throw disagreement();
  return absolute?.sent ?? target;
}

/** Undefined where it is no absolute-form of http or https: an asterisk, an authority, another scheme. @throws Refusal INVALID_REQUEST */
export function absoluteForm(target: string): { origin: Origin; sent: string } | undefined {
  const [, scheme, authority, rest] = /^(https?):\/\/([^/?#]*)(.*)$/i.exec(target) ?? [];
  if (scheme === undefined) return undefined;
  const origin = parseAuthority(authority as string, scheme.toLowerCase() as Scheme);
  if (origin === undefined) throw new Refusal("INVALID_REQUEST", "The request's URL names no host that can be read in one way only.");
  return { origin, sent: rest === "" || rest === undefined || rest.startsWith("?") ? `/${rest ?? ""}` : rest };
}
