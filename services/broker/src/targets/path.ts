import { Refusal } from "@sallyport/contracts";

/** A path and query that mean one thing only, whoever reads them. */
export interface CanonicalPath {
  /** For judging: as sent, with percent-encodings in upper case. Starts with `/`. */
  readonly path: string;
  /** As sent, with its `?`, or empty. */
  readonly query: string;
  /** What is sent: path and query. Differs from what is judged in the case of percent-encodings only. */
  readonly sent: string;
}

const maxLength = 8192;
const pathChars = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/;
const queryChars = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*$/;

/**
 * Parses what an agent asks for, below a target's base URL (RFC 3986 §3.3, §3.4, §6.2.2). Whatever a server, a proxy or a
 * framework could read as another host, another path or another request is refused rather than mended. An encoded slash
 * inside a segment stays as it was sent: names with one in them are common.
 *
 * @throws Refusal INVALID_REQUEST
 */
export function canonicalPath(text: string): CanonicalPath {
  if (text.length > maxLength) throw refused(`is longer than ${maxLength} characters`);
  if (!text.startsWith("/")) throw refused("does not start with /");
  if (/[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\\#]/u.test(text)) throw refused("holds a space, a control character, a backslash or a #");
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw refused("holds a % that encodes nothing");
  const at = text.indexOf("?");
  const path = withoutNeedlessEncoding(at < 0 ? text : text.slice(0, at));
  const query = at < 0 ? "" : text.slice(at);
  if (!pathChars.test(path) || !queryChars.test(query.slice(1))) throw refused("holds a character that must be percent-encoded");
  if (/%00/.test(query)) throw refused("has an encoded NUL in its query");
  const segments = path.slice(1).split("/");
  // One slash at the end is a resource of its own; anywhere else an empty segment is read in different ways.
  for (const [index, segment] of segments.entries()) if (segment !== "" || index < segments.length - 1) checkSegment(segment);
  return { path: path.replace(/%[0-9a-f]{2}/gi, (encoded) => encoded.toUpperCase()), query, sent: path + query };
}

function checkSegment(segment: string): void {
  if (segment === "") throw refused("holds an empty segment");
  if (/%2e/i.test(segment)) throw refused("holds an encoded dot");
  if (/%(?:[01][0-9a-f]|7f|5c)/i.test(segment)) throw refused("holds an encoded control character or backslash");
  if (/%25[0-9a-f]{2}/i.test(segment)) throw refused("is encoded twice");
  const decoded = decode(segment);
  // Full-width dots and slashes are plain ones to whoever normalises (Unicode NFKC).
  const plain = decoded.normalize("NFKC");
  if (/[/\\]/.test(plain.replaceAll("/", "")) || plain.split("/").length !== decoded.split("/").length)
    throw refused("holds a look-alike of a slash");
  for (const piece of plain.split("/")) {
    if (piece === "") throw refused("has an encoded slash next to another slash");
    // `..;x` is `..` to servers that know path parameters.
    if (/^\.{1,2}(?:;|$)/.test(piece)) throw refused("holds . or .. as a segment");
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw refused("holds percent-encodings that are not UTF-8");
  }
}

/** Letters, digits, `-`, `_` and `~` need no encoding (RFC 3986 §6.2.2.2); an encoded dot is refused later, with its reason. */
const withoutNeedlessEncoding = (text: string) =>
  text.replace(/%[0-9A-Fa-f]{2}/g, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9_~-]/.test(character) ? character : encoded;
  });

const refused = (why: string) => new Refusal("INVALID_REQUEST", `The path ${why}; send a plain one, such as /v1/orders/42?expand=lines.`);
