import type { Draft, EvidenceStatus, Facts, OcsfClass } from "./draft.ts";
import type { Envelope } from "./record.ts";

/** The OCSF version that records are written in. */
export const ocsfVersion = "1.8.0";

const classes: Record<OcsfClass, { category: number; categoryName: string; name: string }> = {
  3002: { category: 3, categoryName: "Identity & Access Management", name: "Authentication" },
  3003: { category: 3, categoryName: "Identity & Access Management", name: "Authorize Session" },
  3004: { category: 3, categoryName: "Identity & Access Management", name: "Entity Management" },
  6003: { category: 6, categoryName: "Application Activity", name: "API Activity" },
  6005: { category: 6, categoryName: "Application Activity", name: "Datastore Activity" },
};

const statuses: Record<EvidenceStatus, [number, string]> = { success: [1, "Success"], failure: [2, "Failure"], unknown: [0, "Unknown"] };

/**
 * A draft as an OCSF event. `metadata` comes first, so that a record's place can be written in front of the rest. What is
 * undefined in it is not there once it is JSON.
 */
export function recordJson(draft: Draft, envelope: Envelope & { uid: string }): Record<string, unknown> {
  const { facts } = draft;
  const of = classes[draft.classUid];
  const [statusId, status] = envelope.phase === "intent" ? [99, "Pending"] : statuses[facts.status ?? "unknown"];
  const refused = statusId === 2 || statusId === 0;
  return {
    metadata: {
      uid: envelope.uid,
      version: ocsfVersion,
      product: { name: "Sallyport", vendor_name: "Sallyport", version: envelope.version, feature: { name: envelope.service } },
      event_code: facts.event,
      correlation_uid: traceOf(facts),
    },
    time: envelope.time,
    category_uid: of.category,
    category_name: of.categoryName,
    class_uid: draft.classUid,
    class_name: of.name,
    activity_id: draft.activityId,
    activity_name: draft.activityName,
    type_uid: draft.classUid * 100 + draft.activityId,
    type_name: `${of.name}: ${draft.activityName}`,
    ...severityOf(facts, refused),
    status_id: statusId,
    status,
    status_code: facts.reason,
    message: facts.sentence,
    count: facts.aggregated?.count,
    start_time: facts.aggregated?.firstAt,
    end_time: facts.aggregated?.lastAt,
    ...draft.attributes,
    unmapped: {
      delegation: facts.chain?.links.map(linkJson),
      sallyport: {
        phase: envelope.phase,
        intent_uid: envelope.intentUid,
        action: facts.action,
        secret: facts.secret,
        target: facts.target,
        statement: facts.statement && { masked: facts.statement.masked, keyed_hash: facts.statement.keyedHash },
        request_digest: facts.requestDigest,
        policies: facts.policies,
        access_request_uid: facts.accessRequestId,
        approvers: facts.approvers,
        key_thumbprint: facts.peer?.thumbprint,
        traceparent: facts.traceparent,
        details: facts.details && sorted(facts.details),
      },
    },
  };
}

const linkJson = ({ id, kind, sid, owner }: NonNullable<Facts["chain"]>["links"][number]) => ({ id, kind, session_uid: sid, owner });

/** By name, so that the same facts are the same bytes in whatever order they were collected. */
const sorted = (details: NonNullable<Facts["details"]>) => Object.fromEntries(Object.entries(details).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The trace's id in a W3C `traceparent`. */
function traceOf({ traceparent }: Facts): string | undefined {
  if (traceparent?.startsWith("00-") !== true || traceparent[35] !== "-") return undefined;
  const id = traceparent.slice(3, 35);
  return /^[0-9a-f]{32}$/.test(id) ? id : undefined;
}

/** A value that leaves the broker is the loudest thing that can be on record, whether it was refused or not. */
function severityOf({ event }: Facts, refused: boolean): { severity_id: number; severity: string } {
  if (event === "secret.reveal") return { severity_id: 4, severity: "High" };
  return refused ? { severity_id: 3, severity: "Medium" } : { severity_id: 1, severity: "Informational" };
}
