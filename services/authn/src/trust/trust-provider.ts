/** An outside issuer whose tokens may sign somebody in; configured once, and nothing about it is taken from a token. */
export interface TrustProvider {
  /** First part of every id that comes from here: `<name>/<subject>`. */
  readonly name: string;
  /** Compared as an exact string with `iss` (OIDC Core §3.1.3.7). */
  readonly issuer: string;
  /** The audiences that a token may be for; each of a token's must be one of them. */
  readonly audiences: readonly string[];
  /** The signature algorithms that are accepted; asymmetric ones only. */
  readonly algorithms: readonly string[];
  /** What its principals are. Only a person may approve. */
  readonly kind: "person" | "service" | "pipeline";
  readonly claims: {
    /** Becomes the subject of the principal's id: a claim, or a template of several. */
    readonly subject: string | { readonly template: string };
    /** Group names, each kept as `<name>/<group>`: a claim that lists them, or several rules. */
    readonly groups?: string | readonly GroupRule[] | undefined;
    /** The person who answers for a service account or pipeline. */
    readonly owner?: string | undefined;
    /** Where the owner signs in; this provider where left out. */
    readonly ownerProvider?: string | undefined;
  };
  /** What further claims must say, by the way to the claim. */
  readonly require?: Readonly<Record<string, Requirement>> | undefined;
  /** The clients that a token may have been given to; undefined: any. */
  readonly clients?: readonly string[] | undefined;
  /** Where a SPIFFE trust domain is believed instead of an issuer (JWT-SVID §3). */
  readonly trustDomain?: string | undefined;
  /** Each token signs in once. Else the first key that shows a token keeps it, and may show it again. */
  readonly singleUse: boolean;
  /** Seconds that clocks may differ, either way; at most 60. */
  readonly skewSeconds: number;
  /** Seconds after which its keys are asked for again; {@link keyTimes} has the default. */
  readonly keySeconds?: number | undefined;
  /** Where its keys are, for an issuer without discovery: a URL. */
  readonly jwksUri?: string | undefined;
}

/** Where groups come from: a claim that lists them, or one that is made of claims. */
export type GroupRule = { readonly claim: string; readonly split?: "comma" | "space" | undefined } | { readonly template: string };

/** A value, one of several, or what matches an explicit pattern. */
export type Requirement =
  | string
  | number
  | boolean
  | readonly (string | number | boolean)[]
  | { readonly like: string | readonly string[] };

/** How an outside identity was proven. */
export type Protocol = "OIDC" | "SAML" | "X.509";

/** What an outside token proved. */
export interface OutsideIdentity {
  readonly provider: Pick<TrustProvider, "name" | "kind" | "singleUse" | "skewSeconds"> & { readonly protocol?: Protocol };
  /** `<provider>/<subject>`. */
  readonly principal: string;
  /** `<provider>/<group>`, each once. */
  readonly groups: readonly string[];
  readonly owner: string | undefined;
  /** Names this one token, whatever its signature's bytes: for single use and binding. */
  readonly tokenId: string;
  /** When it was issued, epoch seconds; 0 where it does not say, undefined where nothing here depends on it. */
  readonly issuedAt?: number | undefined;
  /** When it expires, epoch seconds. */
  readonly expiresAt: number;
  /** No session that begins with it lives longer, epoch milliseconds. */
  readonly sessionEnds?: number | undefined;
}

/** Most seconds of skew that a provider can be given. */
export const maxSkewSeconds = 60;
