import "reflect-metadata";
import { createPublicKey, type KeyObject, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { nameConstraints, nameConstraintsOid } from "./name-constraints.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const hour = 3_600_000;
/** By which a certificate is dated back, for clocks differ. */
const backdateMs = hour;

/** A certificate for one host, with its key: PEM. */
export interface Leaf {
  readonly certificate: string;
  readonly key: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/**
 * The installation's own CA for the hosts of its targets. The key is the installation's and lasts; its certificate is issued
 * anew by each broker that starts, good for the hosts of that broker's configuration and no other name on earth. So a client
 * that trusts it trusts it for those hosts only, and one that was told of an older one does not trust it for new hosts.
 */
export class Authority {
  readonly #key: webcrypto.CryptoKey;
  readonly #certificate: x509.X509Certificate;
  readonly #now: () => number;
  /** What clients trust, PEM. */
  readonly pem: string;

  private constructor(key: webcrypto.CryptoKey, certificate: x509.X509Certificate, now: () => number) {
    this.#key = key;
    this.#certificate = certificate;
    this.#now = now;
    this.pem = `${certificate.toString("pem")}\n`;
  }

  /** @param secret P-256. @param hosts of the targets */
  static async load(secret: KeyObject, trustDomain: string, hosts: readonly string[], now: () => number): Promise<Authority> {
    const pkcs8 = secret.export({ type: "pkcs8", format: "der" });
    const key = await webcrypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
    const spki = createPublicKey(secret as never).export({ type: "spki", format: "der" });
    const publicKey = await webcrypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]);
    const name = [{ CN: [`Sallyport proxy of ${trustDomain}`.slice(0, 64)] }];
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: name,
      issuer: name,
      publicKey: publicKey as CryptoKey,
      signingKey: key as CryptoKey,
      signingAlgorithm: algorithm,
      notBefore: new Date(now() - backdateMs),
      notAfter: new Date(now() + 90 * 24 * hour),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.Extension(nameConstraintsOid, true, nameConstraints(hosts) as Uint8Array<ArrayBuffer>),
        await x509.SubjectKeyIdentifierExtension.create(publicKey as CryptoKey),
      ],
    });
    return new Authority(key, certificate, now);
  }

  /** A certificate for a host with a key of its own. @param hours that it lives */
  async issue(host: string, hours: number): Promise<Leaf> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const expiresAt = this.#now() + hours * hour;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      issuer: this.#certificate.subjectName,
      subject: [{ CN: ["Sallyport, for a target"] }],
      publicKey: keys.publicKey as CryptoKey,
      signingKey: this.#key as CryptoKey,
      signingAlgorithm: algorithm,
      notBefore: new Date(this.#now() - backdateMs),
      notAfter: new Date(expiresAt),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: isIP(host) === 0 ? "dns" : "ip", value: host }]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as CryptoKey),
      ],
    });
    const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    return { certificate: `${certificate.toString("pem")}\n`, key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"), expiresAt };
  }
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes.toString("hex");
}
