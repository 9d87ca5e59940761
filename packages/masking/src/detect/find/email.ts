import { MORE, NONE, type Text, table } from "./text.ts";

/** RFC 5321 §4.5.3.1.1. */
export const MAX_LOCAL_BYTES = 64;
const maxDomainBytes = 253;
/** Of RFC 5322's atext, what addresses are made of; the rest is more often syntax around one. */
const local = table(/^[A-Za-z0-9._%+-]$/);
const domain = table(/^[A-Za-z0-9.-]$/);
const labels = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,24}|xn--[a-z0-9-]{2,59})$/i;
/** No top-level domains, but what stands after a dot in a file's name: `icon@2x.png`. */
const fileNames = /\.(?:png|jpe?g|gif|svg|webp|ico|css|m?js|tsx?|json|html?|txt|tgz|tar|gz|whl|jar|exe|dll|ya?ml|xml|log|csv|lock)$/i;

/** Where the local part before `at` begins, or `NONE`. */
export function localStart({ bytes }: Pick<Text, "bytes">, at: number): number {
  let start = at;
  while (start > 0 && at - start <= MAX_LOCAL_BYTES && local[bytes[start - 1]!] === 1) start--;
  if (at - start > MAX_LOCAL_BYTES) return NONE;
  // Of an escape such as \n the letter is no part of it.
  if (bytes[start - 1] === 92 && /[abefnrtv]/.test(String.fromCharCode(bytes[start]!))) start++;
  while (start < at && /[.%+-]/.test(String.fromCharCode(bytes[start]!))) start++;
  return start < at ? start : NONE;
}

/** Where the domain at `at` ends. */
export function domainEnd({ bytes, end, final }: Text, at: number): number {
  let stop = at;
  let dots = 0;
  for (; stop < end && stop - at <= maxDomainBytes && domain[bytes[stop]!] === 1; stop++) if (bytes[stop] === 46) dots++;
  if (stop - at > maxDomainBytes) return NONE;
  if (stop >= end && !final) return MORE;
  if (dots === 0) return NONE;
  while (stop > at && (bytes[stop - 1] === 46 || bytes[stop - 1] === 45)) stop--;
  const name = bytes.toString("latin1", at, stop);
  return labels.test(name) && !fileNames.test(name) ? stop : NONE;
}
