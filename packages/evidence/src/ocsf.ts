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

/** A draft as an OCSF event. `metadata` comes first, so that a record's place can be written in front of the rest. */
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
      ...(traceOf(facts) === undefined ? {} : { correlation_uid: traceOf(facts) }),
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
    severity_id: refused ? 3 : 1,
    severity: refused ? "Medium" : "Informational",
    status_id: statusId,
    status,
    ...(facts.reason === undefined ? {} : { status_code: facts.reason }),
    ...(facts.sentence === undefined ? {} : { message: facts.sentence }),
    ...(facts.aggregated === undefined
      ? {}
      : { count: facts.aggregated.count, start_time: facts.aggregated.firstAt, end_time: facts.aggregated.lastAt }),
    ...draft.attributes,
    unmapped: {
      ...(facts.chain === undefined ? {} : { delegation: facts.chain.links.map(linkJson) }),
      sallyport: {
        phase: envelope.phase,
        ...(envelope.intentUid === undefined ? {} : { intent_uid: envelope.intentUid }),
        ...sallyportJson(facts),
      },
    },
  };
}

const linkJson = (link: NonNullable<Facts["chain"]>["links"][number]) => ({
  id: link.id,
  kind: link.kind,
  session_uid: link.sid,
  ...(link.owner === undefined ? {} : { owner: link.owner }),
});

function sallyportJson(facts: Facts): Record<string, unknown> {
  return compact({
    action: facts.action,
    secret: facts.secret && compact({ ...facts.secret }),
    target: facts.target && compact({ ...facts.target }),
    statement: facts.statement && { masked: facts.statement.masked, keyed_hash: facts.statement.keyedHash },
    request_digest: facts.requestDigest,
    policies: facts.policies && compact({ ...facts.policies }),
    access_request_uid: facts.accessRequestId,
    approvers: facts.approvers?.map((approver) => compact({ ...approver })),
    key_thumbprint: facts.peer?.thumbprint,
    traceparent: facts.traceparent,
    details: facts.details && Object.fromEntries(Object.entries(facts.details).sort(([a], [b]) => (a < b ? -1 : 1))),
  });
}

const traceOf = (facts: Facts): string | undefined => /^00-([0-9a-f]{32})-/.exec(facts.traceparent ?? "")?.[1];

const compact = (object: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
