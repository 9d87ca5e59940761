import * as x509 from "@peculiar/x509";
import { certificateThumbprint, jwkThumbprint, parsePrincipalId, sha256 } from "@sallyport/identity";
import { isLike } from "../check-requirements.ts";
import { trustDomainOf } from "../spiffe-id.ts";
import type { OutsideIdentity } from "../trust-provider.ts";
import { type ChainCertificate, leadsToBundle, parseChain } from "./certificate-chain.ts";
import { certificateRefused } from "./certificate-refusals.ts";

/** Authorities whose certificates name workloads; configured once. */
export interface CertificateProvider {
  /** First part of every id that comes from here: `<name>/<subject>`. */
  readonly name: string;
  readonly kind: "service" | "pipeline";
  /** What names the workload: the SPIFFE ID of this trust domain, or the only name of a kind. */
  readonly subject: { readonly trustDomain: string } | { readonly name: "uri" | "dns" };
  /** Patterns of names that may sign in; undefined: any that the authorities give. */
  readonly allow: readonly string[] | undefined;
  /** The trust bundle as it is now: authorities' certificates. @throws Refusal TARGET_UNAVAILABLE */
  bundle(): Promise<readonly ChainCertificate[]>;
}

/** Turns a workload's certificate (X509-SVID, or any other) into the identity that it proves. */
export class WorkloadCertificates {
  readonly #providers: readonly CertificateProvider[];
  readonly #now: () => number;

  /** @param now epoch milliseconds */
  constructor(providers: readonly CertificateProvider[], now: () => number) {
    this.#providers = providers;
    this.#now = now;
  }

  /**
   * @param text the certificate and those up to the bundle, PEM
   * @param thumbprint of the key that the call was proven by (RFC 7638): it must be the certificate's own, unless
   * @param connection is that certificate's, base64url SHA-256: then TLS has proven its key
   * @throws Refusal UNAUTHENTICATED with the rule's name, TARGET_UNAVAILABLE
   */
  async identity(text: string, thumbprint: string, connection?: string): Promise<OutsideIdentity> {
    const chain = parseChain(text);
    const [own] = chain;
    if (connection !== certificateThumbprint(own.node.raw) && keyThumbprint(own) !== thumbprint) throw certificateRefused("key");
    const now = this.#now();
    for (const provider of this.#providers) {
      if (!leadsToBundle(chain, await provider.bundle(), now)) continue;
      checkOwn(own);
      return {
        provider: { name: provider.name, kind: provider.kind, singleUse: false, skewSeconds: 0, protocol: "X.509" },
        principal: parsePrincipalId(`${provider.name}/${subjectOf(own, provider)}`),
        groups: [],
        owner: undefined,
        // Unlike a token, a certificate is worth nothing without its key, and may begin sessions of several keys.
        tokenId: sha256(`${certificateThumbprint(own.node.raw)} ${thumbprint}`),
        expiresAt: Math.floor(own.node.validToDate.getTime() / 1000),
        sessionEnds: own.node.validToDate.getTime(),
      };
    }
    throw certificateRefused("untrusted");
  }
}

/** Proofs are made by P-256 and Ed25519 keys only. */
function keyThumbprint({ node }: ChainCertificate): string {
  const jwk = node.publicKey.export({ format: "jwk" });
  if (jwk.crv !== "P-256" && jwk.crv !== "Ed25519") throw certificateRefused("key-kind");
  return jwkThumbprint(jwk as Parameters<typeof jwkThumbprint>[0]);
}

/** X509-SVID §4.1 and §4.3: a workload's certificate signs nobody else's, and may sign for its holder. */
function checkOwn({ authority, usages, forClients }: ChainCertificate): void {
  const { keyCertSign, cRLSign, digitalSignature } = x509.KeyUsageFlags;
  if (authority || ((usages ?? 0) & (keyCertSign | cRLSign)) !== 0) throw certificateRefused("is-a-ca");
  if (usages === undefined || (usages & digitalSignature) === 0 || !forClients) throw certificateRefused("key-usage");
}

function subjectOf({ names }: ChainCertificate, { subject, allow }: CertificateProvider): string {
  const found = "trustDomain" in subject || subject.name === "uri" ? names.uri : names.dns;
  const [name] = found;
  if (name === undefined || found.length > 1) throw certificateRefused("name");
  if ("trustDomain" in subject && trustDomainOf(name) !== subject.trustDomain) throw certificateRefused("trust-domain");
  if (allow !== undefined && !allow.some((pattern) => isLike(name, pattern))) throw certificateRefused("not-allowed");
  return "trustDomain" in subject ? name.slice(`spiffe://${subject.trustDomain}/`.length) : name;
}
