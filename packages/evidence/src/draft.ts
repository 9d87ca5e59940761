/** One link of a chain as evidence keeps it: from the principal to the actor that asked. */
export interface EvidenceLink {
  /** `<provider>/<subject>` or `<principal>#<agent>/…`. */
  readonly id: string;
  readonly kind: "person" | "service" | "pipeline" | "agent";
  /** The link's session. */
  readonly sid: string;
  /** Who answers for a service account or pipeline. */
  readonly owner?: string | undefined;
}

/** Who asked, through whom. */
export interface EvidenceChain {
  readonly links: readonly EvidenceLink[];
  readonly groups?: readonly string[] | undefined;
}

/** How it ended. `unknown`: nobody can know whether the effect happened. */
export type EvidenceStatus = "success" | "failure" | "unknown";

/**
 * What every record may say, whatever its class. Text in it was masked by the caller already: nothing is masked here,
 * and what is shortened is shortened after masking.
 */
export interface Facts {
  /** Stable name, `<thing>.<verb>`: `secret.use`, `agent.enrol`, `review.approve`. */
  event: string;
  /** Left out in an intent. */
  status?: EvidenceStatus | undefined;
  /** The stable reason of a refusal or failure, such as `DENIED_BY_POLICY`. */
  reason?: string | undefined;
  /** One sentence for a person. */
  sentence?: string | undefined;
  /** Whose call it was. Left out only where nobody was authenticated. */
  chain?: EvidenceChain | undefined;
  /** Where the call came from. */
  peer?: { address?: string | undefined; thumbprint?: string | undefined } | undefined;
  /** W3C `traceparent` of the call; also travels as a Kafka header. */
  traceparent?: string | undefined;
  /** `list`, `read`, `use`, … */
  action?: string | undefined;
  secret?:
    | { name: string; version?: string | undefined; fields?: readonly string[] | undefined; fingerprint?: string | undefined }
    | undefined;
  target?: { name: string; kind?: string | undefined; host?: string | undefined } | undefined;
  /** What was run: masked, and a keyed hash (hex) of its exact bytes. */
  statement?: { masked: string; keyedHash: string } | undefined;
  /** Digest of the canonical request, hex. */
  requestDigest?: string | undefined;
  policies?: { version?: string | undefined; determining: readonly string[]; errors?: readonly string[] | undefined } | undefined;
  accessRequestId?: string | undefined;
  /** Who approved. */
  approvers?: readonly { id: string; approval?: string | undefined; at?: number | undefined }[] | undefined;
  /** More facts, for machines. Never a value, token or ticket. */
  details?: Readonly<Record<string, string | number | boolean | readonly string[]>> | undefined;
  /** A record that stands for several of the same kind. */
  aggregated?: { count: number; firstAt: number; lastAt: number } | undefined;
}

/** OCSF 1.8 class of a record. */
export type OcsfClass = 3002 | 3003 | 3004 | 6003 | 6005;

/** A record before it has an identity, a time and a place in a journal. Plain data; made by the builders. */
export interface Draft {
  readonly classUid: OcsfClass;
  readonly activityId: number;
  readonly activityName: string;
  readonly facts: Facts;
  /** Attributes of the class, in OCSF's own names. */
  readonly attributes: Readonly<Record<string, unknown>>;
}
