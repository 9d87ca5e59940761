import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import "reflect-metadata";
import { signXml } from "@node-saml/node-saml/lib/xml.js";
import * as x509 from "@peculiar/x509";
import { encrypt } from "xml-encryption";

export interface Pair {
  readonly key: string;
  readonly certificate: string;
}

/** An RSA key with its own certificate, PEM. */
export async function newPair(modulusLength = 2048, days = 30): Promise<Pair> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength, publicExponent: new Uint8Array([1, 0, 1]) };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const from = Date.now() - 60 * 86_400_000;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(8).toString("hex"),
    name: "CN=idp",
    keys,
    notBefore: new Date(from),
    notAfter: new Date(from + (60 + days) * 86_400_000),
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return { key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`, certificate: certificate.toString("pem") };
}

/** What a response says; each has a good value unless a spec changes it. An attribute set to undefined is left out. */
export interface Said {
  issuer?: string;
  responseIssuer?: string | undefined;
  destination?: string | undefined;
  responseVersion?: string;
  version?: string;
  status?: string;
  inResponseTo?: string | undefined;
  /** In the response, where it differs. */
  responseInResponseTo?: string | undefined;
  recipient?: string | undefined;
  method?: string;
  audience?: string;
  nameId?: string;
  format?: string;
  /** Seconds from now. */
  issued?: number;
  notBefore?: number;
  notOnOrAfter?: number | undefined;
  confirmedUntil?: number | undefined;
  sessionEnds?: number;
  groups?: readonly string[];
  attributes?: string;
  conditions?: string;
  authentication?: string;
  confirmation?: string;
  subject?: string;
}

/** How it is signed; SHA-256, by the published key, the assertion alone, unless a spec says otherwise. */
export interface Signed {
  pair?: Pair;
  assertion?: boolean;
  response?: boolean;
  algorithm?: "sha1" | "sha256" | "sha512";
  digest?: "sha1" | "sha256";
  transforms?: string[];
  /** What becomes of the message before it is signed, and after. */
  before?: (xml: string) => string;
  after?: (xml: string) => string;
  /** Encrypts the assertion for this certificate. */
  encryptFor?: string;
  cipher?: string;
  keyCipher?: string;
}

const attr = (name: string, value: string | undefined) => (value === undefined ? "" : ` ${name}="${value}"`);

/** A SAML identity provider in memory, that says and signs whatever a spec wants. */
export class LocalIdp {
  readonly entityId = "https://idp.example/saml";
  acs = "https://sallyport.example/saml/staff/acs";
  readonly audience = "https://sallyport.example/saml/staff";
  readonly pair: Pair;
  /** What the metadata publish. */
  published: string[];

  readonly #now: () => number;

  private constructor(pair: Pair, now: () => number) {
    this.#now = now;
    this.pair = pair;
    this.published = [pair.certificate];
  }

  static open = async (now: () => number = Date.now): Promise<LocalIdp> => new LocalIdp(await newPair(), now);

  metadata(more = ""): string {
    const keys = this.published.map(
      (pem) =>
        `<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${bare(pem)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
    );
    return `<?xml version="1.0" encoding="UTF-8"?><!-- by hand --><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="${this.entityId}"${more}><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">${keys.join("")}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`;
  }

  /** The XML of a response, unsigned. */
  says(said: Said = {}): string {
    const at = (seconds: number) => new Date(this.#now() + seconds * 1000).toISOString();
    const time = (name: string, seconds: number | undefined) => attr(name, seconds === undefined ? undefined : at(seconds));
    const whole = {
      issuer: this.entityId,
      destination: this.acs,
      recipient: this.acs,
      inResponseTo: undefined,
      notOnOrAfter: 300,
      confirmedUntil: 300,
      groups: ["release-team"],
      ...said,
    };
    const { issuer, responseIssuer = whole.issuer, inResponseTo, groups, method = "urn:oasis:names:tc:SAML:2.0:cm:bearer" } = whole;
    const { format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", nameId = "alice", audience = this.audience } = whole;
    const issued = time("IssueInstant", whole.issued ?? 0);
    const answers = "responseInResponseTo" in said ? said.responseInResponseTo : inResponseTo;
    const data = `<saml:SubjectConfirmationData${attr("Recipient", whole.recipient)}${attr("InResponseTo", inResponseTo)}${time("NotOnOrAfter", whole.confirmedUntil)}/>`;
    const confirmation = whole.confirmation ?? `<saml:SubjectConfirmation Method="${method}">${data}</saml:SubjectConfirmation>`;
    const subject = whole.subject ?? `<saml:NameID Format="${format}">${nameId}</saml:NameID>${confirmation}`;
    const conditions =
      whole.conditions ??
      `<saml:Conditions${time("NotBefore", whole.notBefore ?? -60)}${time("NotOnOrAfter", whole.notOnOrAfter)}><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`;
    const authentication =
      whole.authentication ??
      `<saml:AuthnStatement AuthnInstant="${at(-10)}"${time("SessionNotOnOrAfter", whole.sessionEnds)}><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;
    const values = groups.map((group) => `<saml:AttributeValue>${group}</saml:AttributeValue>`).join("");
    const attributes = `<saml:AttributeStatement><saml:Attribute Name="groups">${values}</saml:Attribute>${whole.attributes ?? ""}</saml:AttributeStatement>`;
    const assertion = `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a${randomBytes(16).toString("hex")}" Version="${whole.version ?? "2.0"}"${issued}><saml:Issuer>${issuer}</saml:Issuer><saml:Subject>${subject}</saml:Subject>${conditions}${authentication}${attributes}</saml:Assertion>`;
    const head = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r${randomBytes(16).toString("hex")}" Version="${whole.responseVersion ?? "2.0"}"${issued}${attr("Destination", whole.destination)}${attr("InResponseTo", answers)}>`;
    const status = `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${whole.status ?? "Success"}"/></samlp:Status>`;
    return `${head}<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${responseIssuer}</saml:Issuer>${status}${assertion}</samlp:Response>`;
  }

  /** A response as XML, signed as it is told. */
  async signed(said: Said = {}, how: Signed = {}): Promise<string> {
    const { before = (xml) => xml, after = (xml) => xml, encryptFor } = how;
    let xml = before(this.says(said));
    if (how.assertion ?? true) xml = this.#sign(xml, "Assertion", how);
    if (encryptFor !== undefined) xml = await encrypted(xml, encryptFor, how);
    if (how.response ?? false) xml = this.#sign(xml, "Response", how);
    return after(xml);
  }

  /** As it is posted. */
  async response(said: Said = {}, how: Signed = {}): Promise<string> {
    return Buffer.from(await this.signed(said, how)).toString("base64");
  }

  /** Signs a whole response, whoever's it is. */
  resigned(xml: string, pair: Pair): string {
    return this.#sign(xml, "Response", { pair });
  }

  #sign(xml: string, name: string, { pair = this.pair, algorithm = "sha256", digest = "sha256", transforms }: Signed): string {
    const path = `//*[local-name(.)='${name}']`;
    return signXml(
      xml,
      path,
      { reference: `${path}/*[local-name(.)='Issuer']`, action: "after" },
      {
        privateKey: pair.key,
        publicCert: pair.certificate,
        signatureAlgorithm: algorithm,
        digestAlgorithm: digest,
        ...(transforms === undefined ? {} : { xmlSignatureTransforms: transforms }),
      },
    );
  }
}

export const bare = (pem: string): string => pem.replace(/-----[^-]+-----|\s/g, "");

async function encrypted(xml: string, certificate: string, { cipher, keyCipher }: Signed): Promise<string> {
  const assertion = /<saml:Assertion[\s\S]*<\/saml:Assertion>/.exec(xml)?.[0] ?? "";
  const encryptXml = promisify(
    encrypt as unknown as (content: string, options: object, done: (error: Error | null, result?: string) => void) => void,
  );
  const data = await encryptXml(assertion, {
    rsa_pub: new x509.X509Certificate(certificate).publicKey.toString("pem"),
    pem: certificate,
    encryptionAlgorithm: cipher ?? "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    keyEncryptionAlgorithm: keyCipher ?? "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
    warnInsecureAlgorithm: false,
  });
  return xml.replace(
    assertion,
    `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${data}</saml:EncryptedAssertion>`,
  );
}
