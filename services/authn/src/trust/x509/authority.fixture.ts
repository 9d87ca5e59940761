import { randomBytes } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const ecdsa = { name: "ECDSA", namedCurve: "P-256" };
const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };

interface Wanted {
  uri?: string[];
  dns?: string[];
  seconds?: number;
  rsa?: boolean;
  authority?: boolean;
  pathLength?: number;
  /** `sign`: it may sign certificates, though it is no authority. */
  usage?: "none" | "sign";
  purpose?: "server";
  /** An extension that nobody knows. */
  critical?: boolean;
  hash?: string;
}

export interface Issued {
  readonly pem: string;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
  readonly certificate: x509.X509Certificate;
}

/** An authority whose certificates say what a spec wants. */
export class Authority {
  readonly #issued: Issued;

  private constructor(issued: Issued) {
    this.#issued = issued;
  }

  static async root(name: string): Promise<Authority> {
    const keys = await crypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name: `CN=${name}`,
      keys,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: new Date(Date.now() + 86_400_000),
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    });
    return new Authority({ ...keys, certificate, pem: `${certificate.toString("pem")}\n` });
  }

  /** Whoever holds a certificate, be it an authority or not, as one. */
  static of = (issued: Issued): Authority => new Authority(issued);

  get pem(): string {
    return this.#issued.pem;
  }

  async authority(wanted: Wanted): Promise<Authority> {
    return new Authority(await this.issue({ authority: true, ...wanted }));
  }

  async issue(wanted: Wanted): Promise<Issued> {
    const keys = await (wanted.rsa
      ? crypto.subtle.generateKey(rsa, true, ["sign", "verify"])
      : crypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]));
    const { authority = false } = wanted;
    const names = [
      ...(wanted.uri ?? []).map((value) => ({ type: "url" as const, value })),
      ...(wanted.dns ?? []).map((value) => ({ type: "dns" as const, value })),
    ];
    const usage = authority || wanted.usage === "sign" ? x509.KeyUsageFlags.keyCertSign : x509.KeyUsageFlags.digitalSignature;
    const purpose = wanted.purpose === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: `CN=${serial()}`,
      issuer: this.#issued.certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#issued.privateKey,
      signingAlgorithm: { name: "ECDSA", hash: wanted.hash ?? "SHA-256" },
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + (wanted.seconds ?? 3600) * 1000),
      extensions: [
        new x509.BasicConstraintsExtension(authority, wanted.pathLength, true),
        ...(wanted.usage === "none" ? [] : [new x509.KeyUsagesExtension(usage, true)]),
        ...(authority ? [] : [new x509.ExtendedKeyUsageExtension([purpose])]),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
        ...(wanted.critical ? [new x509.Extension("1.2.3.4.5", true, new Uint8Array([5, 0]))] : []),
      ],
    });
    return { ...keys, certificate, pem: `${certificate.toString("pem")}\n` };
  }
}

const serial = () => `0${randomBytes(8).toString("hex").slice(1)}`;
