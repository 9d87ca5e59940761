import type { Draft, EvidenceChain, Facts, OcsfClass } from "./draft.ts";

interface IntentRecord {
  metadata: { event_code: string };
  class_uid: OcsfClass;
  activity_id: number;
  activity_name: string;
  unmapped: {
    delegation?: { id: string; kind: EvidenceChain["links"][number]["kind"]; session_uid: string; owner?: string }[];
    sallyport: { action?: string; secret?: Facts["secret"]; target?: Facts["target"]; request_digest?: string; key_thumbprint?: string };
  };
  [attribute: string]: unknown;
}

/** Attributes of OCSF's base event, which are written anew. */
const base = new Set(
  (
    "metadata time category_uid category_name class_uid class_name activity_id activity_name type_uid type_name severity_id severity " +
    "status_id status status_code status_detail message count start_time end_time unmapped"
  ).split(" "),
);

/** The outcome of an intent whose writer stopped in between: whether the effect happened, nobody can know. */
export function unknownOutcome(intent: Uint8Array, traceparent: string): Draft {
  const record = JSON.parse(Buffer.from(intent).toString("utf8")) as IntentRecord;
  const { delegation, sallyport } = record.unmapped;
  return {
    classUid: record.class_uid,
    activityId: record.activity_id,
    activityName: record.activity_name,
    attributes: Object.fromEntries(Object.entries(record).filter(([name]) => !base.has(name))),
    facts: {
      event: record.metadata.event_code,
      status: "unknown",
      reason: "OUTCOME_UNKNOWN",
      sentence: "The service stopped between the intent and the outcome: the effect may have happened.",
      chain: delegation && { links: delegation.map(({ id, kind, session_uid, owner }) => ({ id, kind, sid: session_uid, owner })) },
      peer: { thumbprint: sallyport.key_thumbprint },
      traceparent: traceparent === "" ? undefined : traceparent,
      action: sallyport.action,
      secret: sallyport.secret,
      target: sallyport.target,
      requestDigest: sallyport.request_digest,
    },
  };
}
