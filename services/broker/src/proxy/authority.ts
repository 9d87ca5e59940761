import { isIPv6 } from "node:net";

export type Scheme = "http" | "https";

/** Where a request is meant to go, in the one form that is compared: what the URL standard makes of host and port. */
export interface Origin {
  readonly scheme: Scheme;
  /** Lower case; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

const defaultPort = { http: 80, https: 443 } as const;

/**
 * An authority as CONNECT, `Host` and `:authority` carry it (RFC 9110 §7.2, RFC 9113 §8.3.1). Undefined where it is none:
 * user names, paths, lists and empty hosts are no part of it.
 */
export function parseAuthority(text: string, scheme: Scheme): Origin | undefined {
  if (!/^(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?$/.test(text)) return undefined;
  if (!URL.canParse(`${scheme}://${text}/`)) return undefined;
  return originOf(new URL(`${scheme}://${text}/`));
}

export function originOf(url: URL): Origin {
  const scheme = url.protocol.slice(0, -1) as Scheme;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { scheme, host, port: url.port === "" ? defaultPort[scheme] : Number(url.port) };
}

export const isSame = (a: Origin, b: Origin): boolean => a.scheme === b.scheme && a.host === b.host && a.port === b.port;

export const hostAndPort = ({ host, port }: Pick<Origin, "host" | "port">): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;

export const originText = (origin: Origin): string => `${origin.scheme}://${hostAndPort(origin)}`;
