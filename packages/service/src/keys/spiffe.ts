import { X509Certificate } from "node:crypto";
import type { ServiceRole } from "../handler.ts";

export const roles: readonly ServiceRole[] = ["authn", "pdp", "broker", "audit"];

/** The SPIFFE ID of a service: `spiffe://<trust domain>/<role>` (SPIFFE-ID §2). */
export const spiffeIdOf = (trustDomain: string, role: ServiceRole): string => `spiffe://${trustDomain}/${role}`;

/** The role that a verified certificate speaks for. An X.509-SVID has exactly one URI name (X509-SVID §2). */
export function roleOf(der: Uint8Array, trustDomain: string): ServiceRole | undefined {
  const names = new X509Certificate(der).subjectAltName?.split(", ").filter((name) => name.startsWith("URI:")) ?? [];
  return names.length === 1 ? roles.find((role) => names[0] === `URI:${spiffeIdOf(trustDomain, role)}`) : undefined;
}
