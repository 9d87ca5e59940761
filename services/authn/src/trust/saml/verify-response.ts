import { createHash } from "node:crypto";
import { printable } from "@sallyport/contracts";
import { checkAssertion, type Proven } from "./check-assertion.ts";
import { decodeResponse } from "./decode-response.ts";
import { decryptAssertion } from "./decrypt-assertion.ts";
import * as ns from "./namespaces.ts";
import { readAssertion } from "./read-assertion.ts";
import type { SamlProvider } from "./saml-provider.ts";
import { ruleOf, samlRefused } from "./saml-refusals.ts";
import { SignatureThread } from "./signature-thread.ts";
import { refuseStraySignatures, signatureOf } from "./verify-signature.ts";
import { parseXml, type XmlElement } from "./xml-element.ts";

const success = "urn:oasis:names:tc:SAML:2.0:status:Success";

/** One for all providers of this process; no thread is started before the first response. */
const signatures = new SignatureThread();

/** What a response proves, and a name for its assertion by which it is known again. */
export interface VerifiedResponse extends Proven {
  readonly assertionId: string;
}

/** The identity provider's certificates, PEM. `again`: after a signature that matched none; undefined where they are the same still. */
export interface Certificates {
  current(): Promise<readonly string[]>;
  again(): Promise<readonly string[] | undefined>;
}

/**
 * A response as it was posted: screened, parsed once, its shape and signatures checked, and its assertion read from nothing but
 * what the signature covers. Whether it is shown for the first time is for the caller to see to.
 * @param now epoch milliseconds
 * @param asked throws where what the response says that it answers is no request of ours: it is called before any work on a signature,
 *   which whoever may post here, which is everybody, could have done for nothing otherwise
 * @throws Refusal UNAUTHENTICATED, with the rule's name; TARGET_UNAVAILABLE where the certificates cannot be had
 */
export async function verifyResponse(
  field: string,
  provider: SamlProvider,
  certificates: Certificates,
  now: number,
  asked: (inResponseTo: string | undefined) => void,
): Promise<VerifiedResponse> {
  const xml = decodeResponse(field);
  const response = parseXml(xml);
  const { inResponseTo } = checkMessage(response, provider);
  asked(inResponseTo);
  const held = assertionOf(response);
  const clear = held.name === "Assertion";
  if (clear && provider.encryptedOnly) throw samlRefused("not-encrypted");
  const ofResponse = signatureOf(response);
  refuseStraySignatures(response, [ofResponse, ...(clear ? [signatureOf(held)] : [])]);
  const known = await certificates.current();
  const signed = clear ? { xml, element: held } : await decrypted(held, provider);
  const ofAssertion = signatureOf(signed.element);
  if (!clear) refuseStraySignatures(signed.element, [ofAssertion]);
  if (ofAssertion === undefined) throw samlRefused("unsigned");
  const verify = async (trusted: readonly string[]) => {
    if (ofResponse !== undefined) await signatures.verified({ xml, of: "root", certificates: trusted });
    return signatures.verified({ xml: signed.xml, of: clear ? "assertion" : "root", certificates: trusted });
  };
  const assertion = readAssertion(await withRollover(verify, known, certificates));
  const proven = checkAssertion(assertion, provider, now);
  // The message may be unsigned: it can add nothing to what the assertion says, but must not say otherwise.
  if (inResponseTo !== proven.inResponseTo) throw samlRefused("in-response-to");
  return { ...proven, assertionId: createHash("sha256").update(`${provider.idp} ${assertion.id}`).digest("base64url") };
}

/** An identity provider that has changed its key says so in its metadata first, which may be newer than what is known here. */
async function withRollover(
  verify: (trusted: readonly string[]) => Promise<string>,
  known: readonly string[],
  certificates: Certificates,
): Promise<string> {
  try {
    return await verify(known);
  } catch (error) {
    const newer = ruleOf(error) === "signature" ? await certificates.again() : undefined;
    if (newer === undefined) throw error;
    return verify(newer);
  }
}

/** Core §3.2.2, in its order. */
function checkMessage(response: XmlElement, { acs, idp }: SamlProvider): { inResponseTo: string | undefined } {
  if (!response.is(ns.protocol, "Response") || response.attribute("Version") !== "2.0") throw samlRefused("not-a-response");
  if (response.attribute("Destination") !== acs) throw samlRefused("destination");
  const issuers = response.all(ns.assertion, "Issuer");
  if (issuers.length > 1 || (issuers.length === 1 && issuers[0]?.text !== idp)) throw samlRefused("response-issuer");
  const status = response.only(ns.protocol, "Status")?.only(ns.protocol, "StatusCode");
  if (status?.attribute("Value") !== success) throw samlRefused("status", undefined, statusDetail(status));
  return { inResponseTo: response.attribute("InResponseTo") };
}

/** The last word of the inner code, `AuthnFailed`: words of the standard, which a person can look up. */
function statusDetail(status: XmlElement | undefined): string {
  const inner = status?.only(ns.protocol, "StatusCode")?.attribute("Value") ?? status?.attribute("Value") ?? "";
  const word = printable(inner.split(":").at(-1) ?? "", 40);
  return word === "" ? "" : ` (${word})`;
}

/** The one assertion, a child of the response; anywhere else an element of that name is somebody's attempt to have it read. */
function assertionOf(response: XmlElement): XmlElement {
  const named = [...response.everything()].filter(({ name }) => name === "Assertion" || name === "EncryptedAssertion");
  const held = response.children.filter(
    ({ namespace, name }) => namespace === ns.assertion && (name === "Assertion" || name === "EncryptedAssertion"),
  );
  if (named.length > 1) throw samlRefused("many-assertions");
  const [only] = held;
  if (only === undefined) throw samlRefused(named.length === 0 ? "no-assertion" : "wrong-element");
  for (const { namespace, name } of response.children) {
    const known =
      namespace === ns.protocol
        ? name === "Status"
        : namespace === ns.assertion
          ? name === "Issuer" || name === only.name
          : name === "Signature";
    if (!known) throw samlRefused("wrong-element");
  }
  return only;
}

async function decrypted(held: XmlElement, { decryption }: SamlProvider): Promise<{ xml: string; element: XmlElement }> {
  if (decryption === undefined) throw samlRefused("cannot-decrypt");
  const xml = await decryptAssertion(held, decryption.key);
  const element = parseXml(xml);
  if (
    !element.is(ns.assertion, "Assertion") ||
    [...element.everything()].some((one) => one !== element && /^(Encrypted)?Assertion$/.test(one.name))
  )
    throw samlRefused("many-assertions");
  return { xml, element };
}
