import type { EvidenceChain, Facts } from "./draft.ts";

/** OCSF `user` of the actor that asked: the chain's last link. */
export function userOf(chain: EvidenceChain | undefined): Record<string, unknown> {
  const last = chain?.links.at(-1);
  if (last === undefined) return { name: "unauthenticated", type_id: 0, type: "Unknown" };
  const groups = chain?.groups ?? [];
  return {
    name: last.id,
    uid: last.id,
    ...(last.kind === "person" ? { type_id: 1, type: "User" } : { type_id: 4, type: "Service" }),
    ...(groups.length === 0 ? {} : { groups: groups.map((name) => ({ name })) }),
  };
}

/** OCSF `actor`: that user in its session. */
export function actorOf(chain: EvidenceChain | undefined): Record<string, unknown> {
  const last = chain?.links.at(-1);
  return { user: userOf(chain), ...(last === undefined ? {} : { session: { uid: last.sid } }) };
}

/** Where the call came from; a call inside the process comes from `sallyport` itself. */
export function sourceOf(peer: Facts["peer"]): Record<string, unknown> {
  return peer?.address === undefined || peer.address === "" ? { svc_name: "sallyport" } : endpointOfAddress(peer.address);
}

function endpointOfAddress(address: string): Record<string, unknown> {
  const port = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  return port === null ? { ip: address } : { ip: port[1] ?? port[2], port: Number(port[3]) };
}

/** The target as an endpoint. */
export function endpointOf(target: NonNullable<Facts["target"]>): Record<string, unknown> {
  return { svc_name: target.name, ...(target.host === undefined ? {} : { hostname: target.host }) };
}
