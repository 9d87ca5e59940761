import { Refusal } from "@sallyport/contracts";

/** A path and query in the one form that is judged, shown to reviewers, hashed and sent. */
export interface CanonicalPath {
  /** Starts with `/`; percent-encodings in upper case. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
}

const unreserved = /[A-Za-z0-9._~-]/;
const pathChars = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*$/;
const queryChars = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})*$/;

/**
 * Parses what an agent asks for, below a target's base URL (RFC 3986 §3.3, §3.4, §6.2.2). Whatever could be read as another
 * host, another path or another request is refused rather than mended.
 */
export function canonicalPath(text: string): CanonicalPath {
  if (text.length > 8192) throw refused("is longer than 8192 characters");
  if (!text.startsWith("/")) throw refused("does not start with /");
  if (text.startsWith("//")) throw refused("starts with //, which names another host");
  if (/[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\\#]/u.test(text)) throw refused("holds a space, a control character, a backslash or a #");
  const at = text.indexOf("?");
  const path = normalizePercent(at < 0 ? text : text.slice(0, at));
  const query = at < 0 ? "" : `?${normalizePercent(text.slice(at + 1))}`;
  if (!pathChars.test(path) || !queryChars.test(query.slice(1))) throw refused("holds a character that must be percent-encoded");
  if (/%(?:0[0-9A-F]|1[0-9A-F]|7F|5C)/.test(path)) throw refused("holds an encoded control character or backslash");
  if (/%25(?:2E|2F|5C|25)/i.test(path)) throw refused("is encoded twice");
  for (const segment of path.slice(1).split("/")) {
    if (/^\.{1,2}(?:;.*)?$/.test(segment) || /(?:^|%2F)\.{1,2}(?:%2F|$)/.test(segment)) throw refused("holds . or .. as a segment");
  }
  if (path.includes("//")) throw refused("holds an empty segment");
  return { path, query };
}

/** Upper-case encodings, and none where a character needs none (RFC 3986 §6.2.2.1–2). */
function normalizePercent(text: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw refused("holds a % that encodes nothing");
  return text.replace(/%[0-9A-Fa-f]{2}/g, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return unreserved.test(character) ? character : encoded.toUpperCase();
  });
}

const refused = (why: string) => new Refusal("INVALID_REQUEST", `The path ${why}; send a plain one, such as /v1/orders/42?expand=lines.`);
