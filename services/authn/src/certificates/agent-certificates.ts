import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import { certificateThumbprint, type PublicJwk } from "@sallyport/identity";

/** Milliseconds by which a certificate is dated back, for clocks differ. */
const backdateMs = 60_000;

/**
 * The certificate authority for agents' client certificates (RFC 8705 §3): a certificate for the key that an agent has
 * proven, as short-lived as the credential that is bound to it.
 */
export class AgentCertificates {
  readonly #key: webcrypto.CryptoKey;
  readonly #trustDomain: string;
  readonly #clock: { now(): number };
  /** The authority's own certificate: what the mTLS listener trusts. */
  readonly caPem: string;

  private constructor(key: webcrypto.CryptoKey, caPem: string, trustDomain: string, clock: { now(): number }) {
    this.#key = key;
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
    // Loaded with the first certificate: X.509 is heavy, and most agents prove a key instead.
    const { clientCertificate } = await import("./client-certificate.ts");
    const certificate = await clientCertificate({
      caPem: this.caPem,
      signingKey: this.#key,
      publicKey,
      commonName: sid,
      uri: `spiffe://${this.#trustDomain}/agent/${sid}`,
      notBefore: new Date(this.#clock.now() - backdateMs),
      notAfter: new Date(expiresAt * 1000),
    });
    return {
      chainPem: `${new X509Certificate(certificate).toString().trimEnd()}\n${this.caPem.trimEnd()}\n`,
      thumbprint: certificateThumbprint(certificate),
    };
  }
}
