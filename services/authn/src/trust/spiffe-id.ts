/** The trust domain of a SPIFFE ID that names a workload (SPIFFE-ID §2); undefined where it is none, or spelt so that it could be read in two ways. */
export function trustDomainOf(id: unknown): string | undefined {
  if (typeof id !== "string" || id.length > 2048) return undefined;
  const [, domain, path] = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/.exec(id) ?? [];
  return path?.split("/").some((segment) => segment === "." || segment === "..") ? undefined : domain;
}
