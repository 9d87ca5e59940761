import "reflect-metadata";
import { randomBytes, type webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** What a client certificate says, and who signs it. */
export interface ClientCertificate {
  /** The authority's certificate, PEM. */
  readonly caPem: string;
  readonly signingKey: webcrypto.CryptoKey;
  /** Of whoever the certificate is for. */
  readonly publicKey: webcrypto.CryptoKey;
  readonly commonName: string;
  /** The one subject alternative name. */
  readonly uri: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Signs a client certificate. @returns DER */
export async function clientCertificate(wanted: ClientCertificate): Promise<Uint8Array> {
  const authority = new x509.X509Certificate(wanted.caPem);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    issuer: authority.subjectName,
    subject: [{ CN: [wanted.commonName] }],
    notBefore: wanted.notBefore,
    notAfter: wanted.notAfter,
    signingKey: wanted.signingKey as CryptoKey,
    publicKey: wanted.publicKey as CryptoKey,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth], false),
      new x509.SubjectAlternativeNameExtension([{ type: "url", value: wanted.uri }], false),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes.toString("hex");
}
