import { printable, Refusal } from "@sallyport/contracts";

/** Refusals of the dialler. Each says in `metadata.effect` that nothing was sent. */
export const refusals = {
  notAHost: (host: string) =>
    notAllowed(
      `"${printable(host, 80)}" is no host that can be connected to: give a name, an IPv4 address or an IPv6 address without a zone.`,
    ),

  address: (host: string, address: string, what: string, setting: string, canBeListed: boolean) => {
    const is = host === address ? `${address} is ${what}` : `${printable(host, 80)} resolves to ${address}, ${what}`;
    return notAllowed(
      canBeListed
        ? `${is}: it may be reached only where it is listed. Add ${address}/${address.includes(":") ? 128 : 32} to ${setting} if this is meant.`
        : `${is}: it is never connected to, whatever ${setting} lists. Use another address.`,
    );
  },

  ownDoor: (host: string, address: string, port: number, setting: string) =>
    notAllowed(
      `${printable(host, 80)} at ${address}, port ${port}, is a door of Sallyport itself: nothing is sent there, whatever ${setting} lists. Use another address.`,
    ),

  unresolved: (host: string, cause: unknown) =>
    unavailable(
      `The name "${printable(host, 80)}" cannot be resolved (${codeOf(cause)}); check it, or whether the name service runs.`,
      cause,
    ),

  unreachable: (host: string, port: number, cause: unknown) =>
    unavailable(
      `${printable(host, 80)}:${port} takes no connection (${codeOf(cause)}); check whether it runs and can be reached from here.`,
      cause,
    ),

  noTunnel: (host: string, port: number, cause: unknown) =>
    unavailable(
      `The proxy on the way to ${printable(host, 80)}:${port} opened no connection there (${codeOf(cause)}); check \`via\`, its user and password, and what that proxy allows.`,
      cause,
    ),

  untrusted: (host: string, port: number, cause: unknown) =>
    unavailable(
      `${printable(host, 80)}:${port} could not prove by TLS that it is that host (${codeOf(cause)}); check its certificate and the configured ca.`,
      cause,
    ),

  late: (host: string, port: number, ms: number) =>
    unavailable(
      `${printable(host, 80)}:${port} took no connection within ${ms / 1000} s; check whether it runs and can be reached from here.`,
      undefined,
    ),
};

const notAllowed = (sentence: string) => new Refusal("DESTINATION_NOT_ALLOWED", sentence, { metadata: { effect: "none" } });

const unavailable = (sentence: string, cause: unknown) =>
  new Refusal("TARGET_UNAVAILABLE", sentence, { cause, retryAfterMs: 1000, metadata: { effect: "none" } });

/** The error's code: its message may hold anything. */
function codeOf(error: unknown): string {
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: unknown[] };
  if (typeof code === "string" && /^[A-Z0-9_]{1,60}$/.test(code)) return code;
  return errors === undefined ? "failed" : codeOf(errors[0]);
}
