import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ChannelCredentials, ServerCredentials } from "@grpc/grpc-js";
import type { ServiceRole } from "../handler.ts";
import { StartError } from "../process/start-error.ts";
import { readAuthority, readKey } from "./key-files.ts";
import { roleOf } from "./spiffe.ts";

/** A key with its certificate, checked to belong together and to be valid now. */
export interface KeyPair {
  readonly key: Buffer;
  readonly certificate: Buffer;
}

/** @throws StartError where one is missing, unreadable, expired, or they do not belong together */
export function readKeyPair(dataDir: string, name: string): KeyPair {
  const key = readKey(dataDir, `${name}.key`);
  const certificate = readKey(dataDir, `${name}.crt`);
  let parsed: X509Certificate;
  let matches: boolean;
  try {
    parsed = new X509Certificate(certificate);
    matches = parsed.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new StartError(`${name}.key or ${name}.crt in ${dataDir}/keys is damaged; restore both from where sallyport init made them.`, {
      cause,
    });
  }
  if (!matches) throw new StartError(`${name}.key and ${name}.crt in ${dataDir}/keys do not belong together; restore both from one place.`);
  if (parsed.validToDate.getTime() <= Date.now()) {
    throw new StartError(
      `The certificate ${name}.crt in ${dataDir}/keys expired on ${parsed.validToDate.toISOString()}; have a new one issued.`,
    );
  }
  return { key, certificate };
}

const pairs = ({ key, certificate }: KeyPair) => [{ private_key: key, cert_chain: certificate }];

/** TLS for agents and people. */
export const listenerCredentials = (dataDir: string): ServerCredentials =>
  ServerCredentials.createSsl(null, pairs(readKeyPair(dataDir, "listener")), false);

/**
 * TLS that demands a certificate of the agents' authority, or of one whose workloads sign in by theirs. Which certificate may do what
 * is no question of the door: a credential counts with the one certificate that it is bound to.
 * @param bundles the workloads' authorities, PEM files
 */
export function agentsMtlsCredentials(dataDir: string, bundles: readonly string[]): ServerCredentials {
  const authorities = [readAuthority(dataDir, "agents-ca.crt"), ...bundles.map(readBundle)];
  return ServerCredentials.createSsl(Buffer.from(authorities.join("\n")), pairs(readKeyPair(dataDir, "listener")), true);
}

function readBundle(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new StartError(`The trust bundle ${file} cannot be read; check trust.x509 in the configuration.`, { cause });
  }
}

/** TLS that demands a certificate of the services' authority. */
export const peersServerCredentials = (dataDir: string, self: ServiceRole): ServerCredentials =>
  ServerCredentials.createSsl(readAuthority(dataDir, "services-ca.crt"), pairs(readKeyPair(dataDir, self)), true);

/** How `self` calls `role`: whoever answers must hold that role's certificate, whatever its address. */
export function peersClientCredentials(dataDir: string, trustDomain: string, self: ServiceRole, role: ServiceRole): ChannelCredentials {
  const { key, certificate } = readKeyPair(dataDir, self);
  return ChannelCredentials.createSsl(readAuthority(dataDir, "services-ca.crt"), key, certificate, {
    checkServerIdentity: (_host, peer) =>
      roleOf(peer.raw, trustDomain) === role ? undefined : new Error(`whoever answered there is not ${role} of ${trustDomain}`),
  });
}
