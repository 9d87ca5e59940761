import { decryptXml } from "@node-saml/node-saml/lib/xml.js";
import * as ns from "./namespaces.ts";
import { samlRefused } from "./saml-refusals.ts";
import { screenXml } from "./screen-xml.ts";
import type { XmlElement } from "./xml-element.ts";

/** With integrity only: a cipher without it lets whoever changes the text learn from how it is refused. */
const contentAlgorithms = ["http://www.w3.org/2009/xmlenc11#aes128-gcm", "http://www.w3.org/2009/xmlenc11#aes256-gcm"];
const keyAlgorithms = ["http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"];

/** The assertion inside an `EncryptedAssertion` (Core §2.3.4), screened as what came in the clear. @param key PEM */
export async function decryptAssertion(element: XmlElement, key: string): Promise<string> {
  const methods = [...element.everything()]
    .filter((one) => one.is(ns.encryption, "EncryptionMethod"))
    .map((one) => one.attribute("Algorithm") ?? "");
  const known = [...contentAlgorithms, ...keyAlgorithms];
  if (methods.length !== 2 || !methods.every((method) => known.includes(method))) throw samlRefused("encryption-algorithm");
  let xml: string;
  try {
    xml = await decryptXml(String(element.dom), key);
  } catch (cause) {
    throw samlRefused("cannot-decrypt", cause);
  }
  screenXml(xml);
  return xml;
}
