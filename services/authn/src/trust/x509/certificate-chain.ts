import { X509Certificate } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { certificateRefused } from "./certificate-refusals.ts";

const maxChain = 5;
const maxLength = 32 * 1024;

/** Basic constraints, key usage, extended key usage, subject alternative name: all that a workload's certificate needs. */
const understood: ReadonlySet<string> = new Set(["2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17"]);
const clientAuth = "1.3.6.1.5.5.7.3.2";

/** One certificate, with what the rules ask of it. */
export interface ChainCertificate {
  readonly node: X509Certificate;
  readonly parsed: x509.X509Certificate;
  readonly authority: boolean;
  /** Undefined: any. */
  readonly pathLength: number | undefined;
  /** Undefined where it does not say. */
  readonly usages: x509.KeyUsageFlags | undefined;
  /** Whether what it says of its purpose, if anything, has a client's proof in it. */
  readonly forClients: boolean;
  readonly names: { readonly uri: readonly string[]; readonly dns: readonly string[] };
}

/** The certificates of a PEM text, in its order. @throws Error where one cannot be read */
export function readCertificates(text: string, most = Number.POSITIVE_INFINITY): ChainCertificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0 || blocks.length > most) throw new Error(`${blocks.length} certificates`);
  return blocks.map(readCertificate);
}

function readCertificate(pem: string): ChainCertificate {
  const node = new X509Certificate(pem);
  const parsed = new x509.X509Certificate(pem);
  if (parsed.extensions.some(({ critical, type }) => critical && !understood.has(type))) throw certificateRefused("critical-extension");
  const basic = parsed.getExtension(x509.BasicConstraintsExtension);
  const names = parsed.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const purposes = parsed.getExtension(x509.ExtendedKeyUsageExtension)?.usages;
  const ofType = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value);
  return {
    node,
    parsed,
    authority: basic?.ca === true,
    pathLength: basic?.pathLength,
    usages: parsed.getExtension(x509.KeyUsagesExtension)?.usages,
    forClients: purposes === undefined || purposes.map(String).includes(clientAuth),
    names: { uri: ofType("url"), dns: ofType("dns") },
  };
}

/** What a workload shows: its own certificate, then those between it and the bundle. @throws Refusal UNAUTHENTICATED */
export function parseChain(text: string): [ChainCertificate, ...ChainCertificate[]] {
  if (text.length > maxLength) throw certificateRefused("malformed");
  try {
    return readCertificates(text, maxChain) as [ChainCertificate, ...ChainCertificate[]];
  } catch (error) {
    throw (error as Error).name === "Refusal" ? error : certificateRefused("malformed", error);
  }
}

/**
 * Follows a chain from the workload's certificate to one of the bundle's (RFC 5280 §6.1). Only the bundle decides where it may end;
 * whatever the workload shows beside its own certificate is no more than a way there.
 * @param now epoch milliseconds
 * @returns false where no way leads to the bundle
 * @throws Refusal UNAUTHENTICATED where the way that there is breaks a rule
 */
export function leadsToBundle(chain: readonly ChainCertificate[], bundle: readonly ChainCertificate[], now: number): boolean {
  let [current, ...between] = chain as [ChainCertificate, ...ChainCertificate[]];
  checkCertificate(current, now);
  for (let above = 0; above < maxChain; above++) {
    const anchor = bundle.find((one) => isIssuedBy(current, one));
    const issuer = anchor ?? between.find((one) => isIssuedBy(current, one));
    if (issuer === undefined) return false;
    checkCertificate(issuer, now);
    checkIssuer(issuer, above);
    if (anchor !== undefined) return true;
    between = between.filter((one) => one !== issuer);
    current = issuer;
  }
  return false;
}

/** Names, key ids and the signature all agree: of two authorities of one name it is the key that counts. */
const isIssuedBy = (certificate: ChainCertificate, issuer: ChainCertificate): boolean =>
  certificate.node.checkIssued(issuer.node) && certificate.node.verify(issuer.node.publicKey);

function checkCertificate({ node, parsed }: ChainCertificate, now: number): void {
  const { name, hash } = parsed.signatureAlgorithm as { name: string; hash?: { name?: string } };
  if (name !== "Ed25519" && !["SHA-256", "SHA-384", "SHA-512"].includes(hash?.name ?? "")) throw certificateRefused("algorithm");
  if (now < node.validFromDate.getTime() || now >= node.validToDate.getTime()) throw certificateRefused("expired");
}

/** @param below how many authorities stand between this one and the workload's certificate */
function checkIssuer({ authority, pathLength, usages }: ChainCertificate, below: number): void {
  if (!authority || (usages !== undefined && (usages & x509.KeyUsageFlags.keyCertSign) === 0)) throw certificateRefused("not-a-ca");
  if (pathLength !== undefined && below > pathLength) throw certificateRefused("path-length");
}
