/** `api.example.com`, or `*.example.com` for what is below it. Compared without case and without a dot at the end. */
const hostForm = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/** Why a text names no host; a sentence's end. `self` stands for the target's own. */
export function hostProblem(host: string): string | undefined {
  if (host === "self" || (hostForm.test(host) && host.length <= 253 && (!host.startsWith("*.") || host.slice(2).includes("."))))
    return undefined;
  return "must be self, or a host name such as hooks.example.com or *.example.com, in lower case";
}

const isAmong = (host: string, hosts: readonly string[]): boolean =>
  hosts.some((one) => (one.startsWith("*.") ? host.endsWith(one.slice(1)) && host.length > one.length - 1 : host === one));

/** What some client would follow to a host: a scheme, two slashes, a name with a dot in it, a port. */
const reference = /^[a-z][a-z0-9+.-]*:|[/\\]{2}|^[^\s/?#]*[^\s/?#.]\.[^\s/?#.]|^[^\s/?#]+:\d/i;

/**
 * Where a text leads, as the most lenient reader would follow it: `none` for a word that is no reference, `inside` for a path on the
 * target itself or a URL to one of the hosts, `outside` for all else.
 */
export function leads(text: string, hosts: readonly string[]): "none" | "inside" | "outside" {
  const trimmed = text.replaceAll(/^[\0-\x20]+|[\0-\x20]+$|[\t\n\r]/g, "");
  if (trimmed === "" || (!/^[/?#]/.test(trimmed) && !reference.test(trimmed))) return "none";
  if (/^[/?#]/.test(trimmed) && !/^[/\\]{2}/.test(trimmed)) return "inside";
  if (!/^https?:\/\//i.test(trimmed) || !URL.canParse(trimmed)) return "outside";
  const url = new URL(trimmed);
  const host = url.hostname.toLowerCase().replace(/\.$/, "");
  // User names and backslashes make two readers see two hosts.
  return url.username === "" && url.password === "" && !trimmed.includes("\\") && isAmong(host, hosts) ? "inside" : "outside";
}
