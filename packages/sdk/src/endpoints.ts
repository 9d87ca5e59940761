/** Where an installation is, and what proves that it is the one. Nothing in it is secret. */
export interface Endpoints {
  /** `host:port` of authn's listener for agents. */
  readonly authn: string;
  /**
   * `host:port` of the broker's listener for agents; the same as authn's in an embedded installation. Several replicas by IP
   * address, parted by commas: the first that answers is used, and the next where it is gone.
   */
  readonly broker: string;
  /** The installation's `audience`, such as `https://example.internal`: what proofs are made for. */
  readonly audience: string;
  /** The CA that signed the listeners' certificates, PEM; left out: the system's CAs. */
  readonly ca?: string;
}

const addressForm = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):\d{1,5}$/;

/** Endpoints from outside; undefined where a part is missing or is none. */
export function parseEndpoints(value: unknown): Endpoints | undefined {
  const { authn, broker, audience, ca } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof authn !== "string" || typeof broker !== "string" || typeof audience !== "string") return undefined;
  if (
    !addressForm.test(authn) ||
    !broker.split(",").every((replica) => addressForm.test(replica)) ||
    !/^https?:\/\/[^\s?#]+$/.test(audience)
  )
    return undefined;
  if (ca === undefined) return { authn, broker, audience };
  return typeof ca === "string" && ca.includes("-----BEGIN CERTIFICATE-----") ? { authn, broker, audience, ca } : undefined;
}
