const uriForm = /^(https?):\/\/([^/?#]*)([^?#]*)(?:\?[^#]*)?(?:#.*)?$/i;
const authorityForm = /^(\[[0-9a-f:.]+\]|(?:[a-z0-9._~!$&'()*+,;=-]|%[0-9a-f]{2})+)(?::([0-9]*))?$/i;
const pathForm = /^(?:\/(?:[a-z0-9._~!$&'()*+,;=:@-]|%[0-9a-f]{2})*)*$/i;
const defaultPorts: Record<string, string> = { http: "80", https: "443" };

/**
 * An HTTP URI in the one form that RFC 3986 §6.2.2 and §6.2.3 give to all its equals, without query and fragment, as RFC 9449
 * §4.3 compares `htu`. Undefined for anything else, user information included. A trailing slash stays: it names another
 * resource. Not by WHATWG URL, which repairs what is no URI and keeps `%70` apart from `p`.
 */
export function normalizeHtu(uri: string): string | undefined {
  const [, scheme, authority, path] = uriForm.exec(uri) ?? [];
  const [, host, port] = authorityForm.exec(authority ?? "") ?? [];
  if (scheme === undefined || host === undefined || path === undefined || !pathForm.test(path)) return undefined;
  const lowerScheme = scheme.toLowerCase();
  const portPart = port === undefined || port === "" || port === defaultPorts[lowerScheme] ? "" : `:${port}`;
  // Case is normalised after decoding, or a host's `%41` would stay upper-case.
  const lowerHost = normalizePercent(host).replace(/%[0-9A-F]{2}|[A-Z]/g, (part) => (part.startsWith("%") ? part : part.toLowerCase()));
  return `${lowerScheme}://${lowerHost}${portPart}${removeDotSegments(normalizePercent(path)) || "/"}`;
}

/** §6.2.2.1 and §6.2.2.2: what needs no encoding is decoded, the rest is written in upper case. Once only. */
function normalizePercent(text: string): string {
  return text.replace(/%[0-9a-fA-F]{2}/g, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : encoded.toUpperCase();
  });
}

/** §5.2.4, for a path that is empty or begins with a slash. */
function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (last) kept.push("");
  }
  return path === "" ? "" : `/${kept.join("/")}`;
}
