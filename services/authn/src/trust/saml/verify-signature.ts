import { getVerifiedXml } from "@node-saml/node-saml/lib/xml.js";
import * as ns from "./namespaces.ts";
import { samlRefused } from "./saml-refusals.ts";
import type { XmlElement } from "./xml-element.ts";

const dsig = ns.signature;
const exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
const enveloped = `${dsig}enveloped-signature`;
const signatureAlgorithms = ["http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"];
const digestAlgorithms = ["http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmlenc#sha512"];

/** The element's own signature; undefined where it has none. More than one is refused. */
export function signatureOf(element: XmlElement): XmlElement | undefined {
  const found = element.all(dsig, "Signature");
  if (found.length > 1) throw samlRefused("signature-place");
  return found[0];
}

/** A signature stands directly in what it signs: elsewhere, even where a schema would allow one, it has nothing to do here. */
export function refuseStraySignatures(root: XmlElement, expected: readonly (XmlElement | undefined)[]): void {
  for (const element of root.everything()) {
    if (element.name === "Signature" && !expected.includes(element)) throw samlRefused("signature-place");
  }
}

/**
 * The form of a signature (SAML Core §5.4.2 to §5.4.4): one reference, to the element that it stands in; enveloped, by exclusive
 * canonicalization without comments; algorithms as listed, whatever the library would take besides.
 */
function checkForm(signature: XmlElement, signed: XmlElement): void {
  const info = signature.only(dsig, "SignedInfo");
  const reference = info?.only(dsig, "Reference");
  const transforms = reference?.only(dsig, "Transforms");
  const algorithmOf = (parent: XmlElement | undefined, name: string) => parent?.only(dsig, name)?.attribute("Algorithm");
  const id = signed.attribute("ID");
  if (info === undefined || reference === undefined || transforms === undefined) throw samlRefused("signature-form");
  if (signature.all(dsig, "SignatureValue").length !== 1 || signature.all(dsig, "Object").length > 0) throw samlRefused("signature-form");
  if (id === undefined || !/^[A-Za-z_][A-Za-z0-9._-]{0,255}$/.test(id) || reference.attribute("URI") !== `#${id}`)
    throw samlRefused("signature-form");
  const [method, digest] = [algorithmOf(info, "SignatureMethod"), algorithmOf(reference, "DigestMethod")];
  if ([method, digest].some((one) => one === undefined || /sha1|md5|ripemd/i.test(one))) throw samlRefused("sha1");
  if (!signatureAlgorithms.includes(method as string) || !digestAlgorithms.includes(digest as string)) throw samlRefused("algorithm");
  const applied = transforms.children.map((one) => (one.is(dsig, "Transform") ? one.attribute("Algorithm") : undefined));
  if (algorithmOf(info, "CanonicalizationMethod") !== exclusive) throw samlRefused("canonicalization");
  if (applied.length !== 2 || applied[0] !== enveloped || applied[1] !== exclusive) throw samlRefused("canonicalization");
}

/**
 * What was signed, as the library canonicalized it: the only XML that is read from then on.
 * @param xml the document that `element` was parsed from
 * @param certificates the identity provider's, PEM; one that comes along with the signature (`KeyInfo`) is never looked at
 */
export function verifiedXml(xml: string, element: XmlElement, signature: XmlElement, certificates: readonly string[]): string {
  checkForm(signature, element);
  let found: string | null;
  try {
    found = getVerifiedXml(xml, element.dom as Parameters<typeof getVerifiedXml>[1], [...certificates]);
  } catch (cause) {
    throw samlRefused("signature", cause);
  }
  if (found === null) throw samlRefused("signature");
  return found;
}
