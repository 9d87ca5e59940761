import { samlRefused } from "./saml-refusals.ts";
import { screenXml } from "./screen-xml.ts";

const maxBytes = 256 * 1024;

/** The XML of a `SAMLResponse` field (Bindings §3.5.4), screened. */
export function decodeResponse(field: string): string {
  const text = field.replace(/[\r\n\t ]/g, "");
  if (text.length > (maxBytes / 3) * 4) throw samlRefused("too-large");
  if (!/^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$|^(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)$/.test(text))
    throw samlRefused("not-base64");
  let xml: string;
  try {
    xml = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(text, "base64"));
  } catch (cause) {
    throw samlRefused("not-utf8", cause);
  }
  screenXml(xml);
  return xml;
}
