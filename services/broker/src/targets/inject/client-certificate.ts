import { createPrivateKey, X509Certificate } from "node:crypto";
import type { ClientIdentity } from "@sallyport/egress";
import type { Inject } from "@sallyport/service";
import { type Fields, fieldOf, unusable } from "./field-text.ts";

/**
 * The certificate and key that TLS shows the target (RFC 8446 §4.4.2): the secret's own bytes, which are zeroed once the target
 * has answered.
 *
 * @throws Refusal STORE_UNAVAILABLE where they are none, or not of one another
 */
export function clientIdentity(settings: NonNullable<Inject["clientCertificate"]>, fields: Fields): ClientIdentity {
  const certificate = fieldOf(fields, settings.certificate);
  const key = fieldOf(fields, settings.key);
  let matches: boolean;
  try {
    matches = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    throw unusable(settings.certificate, `or "${settings.key}" is no PEM certificate and private key`);
  }
  if (!matches) throw unusable(settings.key, `is not the key of the certificate in "${settings.certificate}"`);
  return { certificate, key };
}
