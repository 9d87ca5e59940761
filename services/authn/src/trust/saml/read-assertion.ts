import * as ns from "./namespaces.ts";
import { samlRefused } from "./saml-refusals.ts";
import { parseXml, type XmlElement } from "./xml-element.ts";

/** Text and times of an assertion whose signature is good, not yet judged. */
export interface Assertion {
  readonly id: string;
  readonly version: string | undefined;
  /** Times are epoch milliseconds; undefined where absent or malformed. */
  readonly issuedAt: number | undefined;
  readonly issuer: string | undefined;
  readonly nameId: { readonly value: string; readonly format: string } | undefined;
  readonly confirmations: readonly Confirmation[];
  readonly conditions: readonly Conditions[];
  readonly authentications: readonly {
    readonly at: number | undefined;
    readonly sessionEnds: number | undefined;
    readonly endsNamed: boolean;
  }[];
  /** Values by the attribute's name; an undefined value is no plain text. */
  readonly attributes: ReadonlyMap<string, readonly (string | undefined)[]>;
}

export interface Confirmation {
  readonly method: string | undefined;
  readonly recipient: string | undefined;
  readonly inResponseTo: string | undefined;
  readonly notBeforeNamed: boolean;
  readonly notOnOrAfter: number | undefined;
}

export interface Conditions {
  readonly notBefore: number | undefined;
  readonly notBeforeNamed: boolean;
  readonly notOnOrAfter: number | undefined;
  /** One list of audiences a restriction; each must hold ours. */
  readonly audiences: readonly (readonly (string | undefined)[])[];
  readonly unknown: boolean;
}

const saml = ns.assertion;
const defaultFormat = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
const knownConditions = ["AudienceRestriction", "OneTimeUse", "ProxyRestriction"];

/** @param xml what the signature covers, and nothing else */
export function readAssertion(xml: string): Assertion {
  const root = parseXml(xml);
  const id = root.attribute("ID");
  if (!root.is(saml, "Assertion") || id === undefined) throw samlRefused("wrong-element");
  const subject = root.only(saml, "Subject");
  return {
    id,
    version: root.attribute("Version"),
    issuedAt: timeOf(root.attribute("IssueInstant")),
    issuer: root.only(saml, "Issuer")?.text,
    nameId: subject === undefined ? undefined : nameIdOf(subject),
    confirmations: (subject?.all(saml, "SubjectConfirmation") ?? []).map(confirmationOf),
    conditions: root.all(saml, "Conditions").map(conditionsOf),
    authentications: root.all(saml, "AuthnStatement").map((statement) => ({
      at: timeOf(statement.attribute("AuthnInstant")),
      sessionEnds: timeOf(statement.attribute("SessionNotOnOrAfter")),
      endsNamed: statement.attribute("SessionNotOnOrAfter") !== undefined,
    })),
    attributes: attributesOf(root),
  };
}

function nameIdOf(subject: XmlElement): Assertion["nameId"] {
  const nameId = subject.only(saml, "NameID");
  const value = nameId?.text;
  // An encrypted or base identifier beside it would be a second answer to who this is.
  const others = subject.children.some(({ name }) => name !== "NameID" && name !== "SubjectConfirmation");
  if (nameId === undefined || value === undefined || value === "" || others) return undefined;
  return { value, format: nameId.attribute("Format") ?? defaultFormat };
}

function confirmationOf(confirmation: XmlElement): Confirmation {
  const data = confirmation.only(saml, "SubjectConfirmationData");
  return {
    method: confirmation.attribute("Method"),
    recipient: data?.attribute("Recipient"),
    inResponseTo: data?.attribute("InResponseTo"),
    notBeforeNamed: data?.attribute("NotBefore") !== undefined,
    notOnOrAfter: timeOf(data?.attribute("NotOnOrAfter")),
  };
}

const conditionsOf = (conditions: XmlElement): Conditions => ({
  notBefore: timeOf(conditions.attribute("NotBefore")),
  notBeforeNamed: conditions.attribute("NotBefore") !== undefined,
  notOnOrAfter: timeOf(conditions.attribute("NotOnOrAfter")),
  audiences: conditions.all(saml, "AudienceRestriction").map((one) => one.all(saml, "Audience").map(({ text }) => text)),
  unknown: conditions.children.some(({ namespace, name }) => namespace !== saml || !knownConditions.includes(name)),
});

function attributesOf(root: XmlElement): Assertion["attributes"] {
  const found = new Map<string, (string | undefined)[]>();
  for (const statement of root.all(saml, "AttributeStatement")) {
    for (const attribute of statement.all(saml, "Attribute")) {
      const name = attribute.attribute("Name") ?? "";
      const values = attribute.all(saml, "AttributeValue").map(({ text }) => text);
      found.set(name, [...(found.get(name) ?? []), ...values]);
    }
  }
  return found;
}

/** `xs:dateTime` in UTC, as Core §1.3.3 has it. */
export function timeOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
