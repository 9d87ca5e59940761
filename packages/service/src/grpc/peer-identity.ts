import { createHash } from "node:crypto";
import type { PeerCertificate } from "node:tls";
import type { Door, PeerIdentity } from "../handler.ts";
import { roleOf, spiffeIdOf } from "../keys/spiffe.ts";

interface Connection {
  getPeer(): string;
  getAuthContext(): { sslPeerCertificate?: PeerCertificate };
}

/** By HTTP/2 session: a connection's certificate does not change, and reading it costs more than a small call does. */
const known = new WeakMap<object, PeerIdentity>();

/** Reads who is at the other end; its certificate was verified against the door's CA by TLS. */
export function peerIdentity(call: Connection, door: Door, trustDomain: string): PeerIdentity {
  const session = sessionOf(call);
  const found = session === undefined ? undefined : known.get(session);
  if (found !== undefined) return found;
  const identity = readIdentity(call, door, trustDomain);
  if (session !== undefined) known.set(session, identity);
  return identity;
}

/** grpc-js has no public name for a call's connection; where this one goes away, each call reads the certificate again. */
const sessionOf = (call: unknown): object | undefined => (call as { call?: { stream?: { session?: object } } }).call?.stream?.session;

function readIdentity(call: Connection, door: Door, trustDomain: string): PeerIdentity {
  const address = call.getPeer();
  if (door === "agents" || door === "edge") return { kind: "anonymous", address };
  const der = call.getAuthContext().sslPeerCertificate?.raw;
  if (der === undefined) return { kind: "anonymous", address };
  if (door === "peers") {
    const role = roleOf(der, trustDomain);
    return role === undefined ? { kind: "anonymous", address } : { kind: "service", role, spiffeId: spiffeIdOf(trustDomain, role) };
  }
  return { kind: "certificate", der, thumbprint: createHash("sha256").update(der).digest("base64url"), address };
}
