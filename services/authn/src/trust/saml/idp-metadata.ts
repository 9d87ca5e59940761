import { X509Certificate } from "node:crypto";
import { secureUrl } from "../discovery.ts";
import * as ns from "./namespaces.ts";
import { timeOf } from "./read-assertion.ts";
import { screenXml } from "./screen-xml.ts";
import { parseXml, type XmlElement } from "./xml-element.ts";

/** What an identity provider's metadata say (SAML Metadata §2). */
export interface IdpMetadata {
  /** Where a sign-in is begun, by HTTP-Redirect; undefined where it takes none. */
  readonly signInUrl: string | undefined;
  /** The certificates of the keys that sign, PEM: more than one while a key is rolled over. */
  readonly certificates: readonly string[];
  /** Whether it wants requests to be signed. */
  readonly wantsSignedRequests: boolean;
}

const redirectBinding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const maxCertificates = 16;
/** Written by whoever runs the identity provider, and no signature in them is looked at. */
const metadataLimits = { elements: 2_000, attributes: 10_000 };

/**
 * @param idp the entity id that is configured: metadata of any other are not taken
 * @param now epoch milliseconds
 * @throws Error that says what is wrong with them, for an operator
 */
export function parseIdpMetadata(text: string, idp: string, now: number): IdpMetadata {
  const bad = (rule: string) => new Error(`the metadata cannot be used (${rule})`);
  screenXml(text, bad, "allowed");
  const root = parseXml(text, bad, metadataLimits);
  const entities = [...root.everything()].filter((one) => one.is(ns.metadata, "EntityDescriptor") && one.attribute("entityID") === idp);
  const [entity] = entities;
  if (entity === undefined || entities.length > 1) throw new Error(`the metadata do not describe ${idp} exactly once`);
  const role = entity.only(ns.metadata, "IDPSSODescriptor");
  if (role === undefined) throw new Error("the metadata describe no identity provider");
  if (!(role.attribute("protocolSupportEnumeration") ?? "").split(/\s+/).includes(ns.protocol))
    throw new Error("the identity provider does not speak SAML 2.0");
  for (const one of [root, entity, role]) {
    const until = one.attribute("validUntil");
    if (until !== undefined && (timeOf(until) ?? 0) <= now) throw new Error("the metadata are no longer valid");
  }
  const certificates = role
    .all(ns.metadata, "KeyDescriptor")
    .filter((key) => (key.attribute("use") ?? "signing") === "signing")
    .flatMap((key) => certificatesOf(key, now));
  if (certificates.length === 0) throw new Error("the metadata have no certificate that signs now: RSA of 2048 bits or more");
  return {
    signInUrl: signInUrlOf(role),
    certificates: [...new Set(certificates)].slice(0, maxCertificates),
    wantsSignedRequests: /^(true|1)$/.test(role.attribute("WantAuthnRequestsSigned") ?? ""),
  };
}

function signInUrlOf(role: XmlElement): string | undefined {
  const service = role.all(ns.metadata, "SingleSignOnService").find((one) => one.attribute("Binding") === redirectBinding);
  const location = service?.attribute("Location");
  return location === undefined ? undefined : secureUrl(location).href;
}

/** One that is broken, too weak or not valid now is passed over, and never spoils the others. */
function certificatesOf(descriptor: XmlElement, now: number): string[] {
  return [...descriptor.everything()].flatMap((element) => {
    const text = element.is(ns.signature, "X509Certificate") ? element.text : undefined;
    if (text === undefined) return [];
    try {
      const certificate = new X509Certificate(Buffer.from(text, "base64"));
      const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
      const strong = asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
      const current = certificate.validFromDate.getTime() <= now && now < certificate.validToDate.getTime();
      return strong && current ? [certificate.toString()] : [];
    } catch {
      return [];
    }
  });
}
