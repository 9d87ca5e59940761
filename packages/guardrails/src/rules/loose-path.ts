import { matchesTemplate } from "../path-template.ts";

const extension = /\.(?:json|xml|html?|txt)$/;

/**
 * Whether some server could take a path for one that fits the template: without case, path parameters, a slash or a format at its end,
 * encoded slashes read as such. A rule looks at more requests by it, never at fewer.
 */
export function couldFit(template: string, path: string): boolean {
  const wanted = plain(template);
  const raw = plain(path);
  return [raw, raw.replace(extension, ""), plain(decoded(path)), plain(decoded(path)).replace(extension, "")].some((one) =>
    matchesTemplate(wanted, one),
  );
}

const plain = (path: string): string =>
  path
    .split("/")
    .map((segment) => (/^\{.*\}$/.test(segment) ? segment : segment.replace(/;.*$/, "")))
    .map((segment) => (/^\{.*\}$/.test(segment) ? segment : decoded(segment).normalize("NFKC").toLowerCase().replaceAll("/", "%2f")))
    .join("/")
    .replace(/(.)\/$/, "$1");

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
