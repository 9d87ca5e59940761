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
  /** The same installation's listeners for client certificates; needed only where an agent signs in or enrols with `binding: "mtls"`. */
  readonly mtls?: {
    /** `host:port` of authn's. */
    readonly authn: string;
    /** `host:port` of the broker's, or several as above. */
    readonly broker: string;
  };
  /** The CA that signed the listeners' certificates, PEM; left out: the system's CAs. */
  readonly ca?: string;
}

const addressForm = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):\d{1,5}$/;

/** Endpoints from outside; undefined where a part is missing or is none. */
export function parseEndpoints(value: unknown): Endpoints | undefined {
  const { audience, mtls, ca, ...doors } = objectOf(value);
  const { authn, broker } = parseDoors(doors) ?? {};
  if (authn === undefined || broker === undefined) return undefined;
  if (typeof audience !== "string" || !/^https?:\/\/[^\s?#]+$/.test(audience)) return undefined;
  if (ca !== undefined && (typeof ca !== "string" || !ca.includes("-----BEGIN CERTIFICATE-----"))) return undefined;
  const certified = mtls === undefined ? undefined : parseDoors(objectOf(mtls));
  if (mtls !== undefined && certified === undefined) return undefined;
  return { authn, broker, audience, ...(certified === undefined ? {} : { mtls: certified }), ...(ca === undefined ? {} : { ca }) };
}

function parseDoors({ authn, broker }: Record<string, unknown>): { authn: string; broker: string } | undefined {
  if (typeof authn !== "string" || !addressForm.test(authn)) return undefined;
  if (typeof broker !== "string" || !broker.split(",").every((replica) => addressForm.test(replica))) return undefined;
  return { authn, broker };
}

const objectOf = (value: unknown) => (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
