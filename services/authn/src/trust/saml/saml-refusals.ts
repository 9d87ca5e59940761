import { Refusal } from "@sallyport/contracts";

/**
 * Why a SAML response is not accepted: one name a rule. The name stands in the refusal's metadata (`saml`) and on the page that the
 * person sees; what follows is the middle of its sentence.
 */
const whys = {
  // What may be looked at at all, before anything is parsed.
  "too-large": "it is larger than 256 KiB",
  "not-base64": "it is not base64",
  "not-utf8": "it is not UTF-8",
  doctype: "it has a document type, which could define entities",
  "processing-instruction": "it has a processing instruction",
  comment: "it has a comment",
  cdata: "it has a CDATA section",
  entity: "it refers to an entity that XML itself does not define",
  "not-xml": "it is not well-formed XML",
  "too-deep": "its elements are nested too deep, or they, their attributes or namespaces are too many",
  "too-slow": "to verify its signature took too long",
  "duplicate-id": "two of its elements have the same ID",
  // The message (SAML Core §3.2.2, Bindings §3.5.5.2, Profiles §4.1.4.2).
  "not-a-response": "it is no SAML 2.0 response",
  "wrong-element": "it has an element that has no place in a response",
  status: "the identity provider says that the person could not be signed in",
  "no-assertion": "it has no assertion",
  "many-assertions": "it has more than one assertion",
  destination: "it was sent to another address than this one",
  "response-issuer": "its response was issued by somebody else",
  // Signatures (Core §5.4).
  unsigned: "its assertion is not signed",
  "signature-place": "it has a signature in a place where none belongs",
  "signature-form": "its signature does not cover exactly the element that it stands in",
  sha1: "it is signed by way of SHA-1 or another hash that is broken",
  algorithm: "its signature algorithm is not accepted: RSA with SHA-256 or SHA-512 is",
  canonicalization: "its signature asks for another transformation than exclusive canonicalization",
  signature: "its signature does not match any key that the identity provider publishes",
  // Encryption.
  "not-encrypted": "its assertion is not encrypted, and must be",
  "cannot-decrypt": "its assertion cannot be decrypted with the key of this service",
  "encryption-algorithm": "it is encrypted without integrity protection: AES-GCM with RSA-OAEP is accepted",
  // The assertion (Core §2.3.3, §2.4, §2.5; Profiles §4.1.4.2, §4.1.4.3).
  version: "its assertion is not of version 2.0",
  issuer: "its assertion was issued by somebody else",
  "issued-in-future": "it was issued in the future; the clocks may differ",
  "no-subject": "its assertion does not name exactly one subject",
  "name-id-format": "its subject is named in another format than the one that is configured",
  "subject-attribute": "it does not have exactly one value of the attribute that names the subject",
  confirmation: "its subject is not confirmed as a bearer, exactly once",
  recipient: "it was issued for another recipient",
  "confirmation-time": "its subject's confirmation has run out, or never does",
  "in-response-to": "it does not answer a sign-in that was begun here",
  unsolicited: "nobody asked for it, and sign-ins that the identity provider begins are off",
  solicited: "it answers a request, and sign-ins that are begun here are off",
  "request-over": "it answers a sign-in that took too long, or was finished already",
  "no-conditions": "its assertion does not have exactly one set of conditions",
  "not-yet-valid": "it is not valid yet; the clocks may differ",
  expired: "it has expired, or never does",
  "too-long": "it is valid for longer than a day",
  audience: "it is for another audience",
  "unknown-condition": "it has a condition that is not understood",
  "no-authentication": "it does not say that and when the person was authenticated",
  "session-over": "the person's session at the identity provider is over",
  "attribute-value": "an attribute that is read has a value that is no plain text",
  "groups-elsewhere": "its groups are too many to stand in it; have the identity provider send only those that matter here",
  replayed: "it was used already",
} as const;

export type SamlRule = keyof typeof whys;

/** Each rule by its name. */
export const samlRules = Object.keys(whys) as SamlRule[];

/** @param detail of the provider's, already made printable; ends the sentence's middle */
export const samlRefused = (rule: SamlRule, cause?: unknown, detail = ""): Refusal =>
  new Refusal("UNAUTHENTICATED", `The SAML response is not accepted: ${whys[rule]}${detail}. Sign in again.`, {
    metadata: { saml: rule },
    ...(cause === undefined ? {} : { cause }),
  });

const declinedRule = "declined";

/** The person said no on our own page, before the identity provider was asked. */
export const declined = (): Refusal =>
  new Refusal(
    "UNAUTHENTICATED",
    "You said no: nothing was sent to the identity provider. If you did not run sallyport login, somebody else wanted to act as you; it is on record: tell whoever runs Sallyport.",
    { metadata: { saml: declinedRule } },
  );

export const isDeclined = (refusal: Refusal): boolean => ruleOf(refusal) === declinedRule;

/** The rule that a refusal names; undefined where it is another kind of refusal. */
export const ruleOf = (error: unknown): string | undefined => (error instanceof Refusal ? error.metadata.saml : undefined);
