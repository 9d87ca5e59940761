import type { Draft, Facts } from "./draft.ts";
import { actorOf, endpointOf, sourceOf, userOf } from "./objects.ts";

/**
 * A sign-in, an exchange, a renewal, a redeemed ticket, or the refusal of one (OCSF Authentication, 3002).
 *
 * @param facts.protocol what the outside identity was: `OIDC`, `SAML`, `X.509`, or `ticket`
 */
export function authentication(
  activity: "logon" | "logoff" | "ticket" | "renew",
  facts: Facts & { protocol?: "OIDC" | "SAML" | "X.509" | "ticket" | undefined; provider?: string | undefined },
): Draft {
  const [activityId, activityName] = {
    logon: [1, "Logon"],
    logoff: [2, "Logoff"],
    ticket: [3, "Authentication Ticket"],
    renew: [5, "Service Ticket Renew"],
  }[activity] as [number, string];
  const { protocol, provider, ...rest } = facts;
  const protocolIds = { OIDC: 4, SAML: 5, "X.509": 99, ticket: 99 } as const;
  return {
    classUid: 3002,
    activityId,
    activityName,
    facts: rest,
    attributes: {
      ...(protocol === undefined
        ? {}
        : {
            auth_protocol_id: protocolIds[protocol],
            auth_protocol: protocol === "OIDC" ? "OpenID" : protocol === "ticket" ? "Sallyport enrolment ticket" : protocol,
          }),
      user: { ...userOf(rest.chain), ...(provider === undefined ? {} : { domain: provider }) },
      service: { name: "sallyport" },
      src_endpoint: sourceOf(rest.peer),
    },
  };
}

/** A decision for a chain: what it may do, or that it may not (OCSF Authorize Session, 3003). */
export function authorizeSession(facts: Facts): Draft {
  return {
    classUid: 3003,
    activityId: 1,
    activityName: "Assign Privileges",
    facts,
    attributes: {
      user: userOf(facts.chain),
      privileges: [facts.action ?? facts.event],
      src_endpoint: sourceOf(facts.peer),
    },
  };
}

const entityActivities = {
  create: [1, "Create"],
  read: [2, "Read"],
  update: [3, "Update"],
  delete: [4, "Delete"],
  enroll: [6, "Enroll"],
  activate: [10, "Activate"],
  deactivate: [11, "Deactivate"],
} as const;

/**
 * Something that Sallyport keeps was made, changed, ended: an agent, a review, a vote, a revocation, a journal (OCSF Entity
 * Management, 3004).
 */
export function entityManagement(
  activity: keyof typeof entityActivities,
  facts: Facts & { entity: { type: string; uid: string; name?: string | undefined } },
): Draft {
  const { entity, ...rest } = facts;
  const [activityId, activityName] = entityActivities[activity];
  return {
    classUid: 3004,
    activityId,
    activityName,
    facts: rest,
    attributes: {
      actor: actorOf(rest.chain),
      entity: { name: entity.name ?? entity.uid, uid: entity.uid, type: entity.type },
      src_endpoint: sourceOf(rest.peer),
    },
  };
}

const apiActivities = {
  create: [1, "Create"],
  read: [2, "Read"],
  update: [3, "Update"],
  delete: [4, "Delete"],
  other: [99, "Other"],
} as const;

/** A call to a target, or to one of Sallyport's own methods (OCSF API Activity, 6003). */
export function apiActivity(
  activity: keyof typeof apiActivities,
  facts: Facts & { api: { operation: string; service?: string | undefined; responseCode?: number | undefined } },
): Draft {
  const { api, ...rest } = facts;
  const [activityId, activityName] = apiActivities[activity];
  return {
    classUid: 6003,
    activityId,
    activityName,
    facts: rest,
    attributes: {
      actor: actorOf(rest.chain),
      api: {
        operation: api.operation,
        ...(api.service === undefined ? {} : { service: { name: api.service } }),
        ...(api.responseCode === undefined ? {} : { response: { code: api.responseCode } }),
      },
      src_endpoint: sourceOf(rest.peer),
      ...(rest.target === undefined ? {} : { dst_endpoint: endpointOf(rest.target) }),
    },
  };
}

const datastoreActivities = {
  read: [1, "Read"],
  update: [2, "Update"],
  query: [4, "Query"],
  write: [5, "Write"],
  create: [6, "Create"],
  delete: [7, "Delete"],
  list: [8, "List"],
} as const;

/** A secret store or a database was read or written (OCSF Datastore Activity, 6005). */
export function datastoreActivity(
  activity: keyof typeof datastoreActivities,
  facts: Facts & { datastore: { name: string; kind: "secret-store" | "database" } },
): Draft {
  const { datastore, ...rest } = facts;
  const [activityId, activityName] = datastoreActivities[activity];
  return {
    classUid: 6005,
    activityId,
    activityName,
    facts: rest,
    attributes: {
      actor: actorOf(rest.chain),
      src_endpoint: sourceOf(rest.peer),
      ...(datastore.kind === "database"
        ? { type_id: 1, type: "Database", database: { name: datastore.name, type_id: 1, type: "Relational" } }
        : { type_id: 99, type: "Secret store", databucket: { name: datastore.name, type_id: 99, type: "Secret store" } }),
      ...(rest.target === undefined ? {} : { dst_endpoint: endpointOf(rest.target) }),
    },
  };
}
