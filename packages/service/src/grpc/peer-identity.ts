import { createHash } from "node:crypto";
import type { PeerCertificate } from "node:tls";
import type { Door, PeerIdentity, ServiceRole } from "../handler.ts";
import { roleOf, spiffeIdOf } from "../keys/spiffe.ts";

interface Connection {
  getPeer(): string;
  getAuthContext(): { sslPeerCertificate?: PeerCertificate };
}

/** Reads who is at the other end; its certificate was verified against the door's CA by TLS. */
export function peerIdentity(call: Connection, door: Door, trustDomain: string): PeerIdentity {
  const address = call.getPeer();
  if (door === "agents" || door === "edge") return { kind: "anonymous", address };
  const der = call.getAuthContext().sslPeerCertificate?.raw;
  if (der === undefined) return { kind: "anonymous", address };
  if (door === "peers") {
    const role: ServiceRole | undefined = roleOf(der, trustDomain);
    return role === undefined ? { kind: "anonymous", address } : { kind: "service", role, spiffeId: spiffeIdOf(trustDomain, role) };
  }
  return { kind: "certificate", der, thumbprint: createHash("sha256").update(der).digest("base64url"), address };
}
