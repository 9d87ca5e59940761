import "reflect-metadata";
import { createPrivateKey, randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { certificateThumbprint, type PublicJwk } from "@sallyport/identity";

/** Milliseconds by which a certificate is dated back, for clocks differ. */
const backdateMs = 60_000;

/**
 * The certificate authority for agents' client certificates (RFC 8705 §3): a certificate for the key that an agent has
 * proven, as short-lived as the credential that is bound to it.
 */
export class AgentCertificates {
  readonly #key: webcrypto.CryptoKey;
  readonly #certificate: x509.X509Certificate;
  readonly #trustDomain: string;
  readonly #clock: { now(): number };
  /** The authority's own certificate: what the mTLS listener trusts. */
  readonly caPem: string;

  private constructor(key: webcrypto.CryptoKey, caPem: string, trustDomain: string, clock: { now(): number }) {
    this.#key = key;
    this.#certificate = new x509.X509Certificate(caPem);
    this.#trustDomain = trustDomain;
    this.#clock = clock;
    this.caPem = caPem;
  }

  /** @param keyPem the authority's P-256 key @param caPem its certificate */
  static async load(keyPem: string, caPem: string, trustDomain: string, clock: { now(): number }): Promise<AgentCertificates> {
    const pkcs8 = createPrivateKey(keyPem).export({ type: "pkcs8", format: "der" });
    const key = await webcrypto.subtle.importKey("pkcs8", pkcs8, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    return new AgentCertificates(key, caPem, trustDomain, clock);
  }

  /**
   * A client certificate for the holder's key.
   * @param expiresAt epoch seconds
   * @returns the certificate with its issuer, PEM, and its `x5t#S256`
   */
  async issue(publicJwk: PublicJwk, sid: string, expiresAt: number): Promise<{ chainPem: string; thumbprint: string }> {
    const algorithm = publicJwk.kty === "EC" ? { name: "ECDSA", namedCurve: "P-256" } : { name: "Ed25519" };
    const publicKey = await webcrypto.subtle.importKey("jwk", { ...publicJwk }, algorithm, true, ["verify"]);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      issuer: this.#certificate.subjectName,
      subject: [{ CN: [sid] }],
      notBefore: new Date(this.#clock.now() - backdateMs),
      notAfter: new Date(expiresAt * 1000),
      signingKey: this.#key as CryptoKey,
      publicKey: publicKey as CryptoKey,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth], false),
        new x509.SubjectAlternativeNameExtension([{ type: "url", value: `spiffe://${this.#trustDomain}/agent/${sid}` }], false),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
      ],
    });
    return {
      chainPem: `${certificate.toString("pem").trimEnd()}\n${this.caPem.trimEnd()}\n`,
      thumbprint: certificateThumbprint(new Uint8Array(certificate.rawData)),
    };
  }
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes.toString("hex");
}
