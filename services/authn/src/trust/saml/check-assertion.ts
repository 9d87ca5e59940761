import { parseGroup, parsePrincipalId } from "@sallyport/identity";
import type { Assertion, Conditions } from "./read-assertion.ts";
import type { SamlProvider } from "./saml-provider.ts";
import { samlRefused } from "./saml-refusals.ts";

const bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const dayMs = 86_400_000;

/** Where Entra ID puts a link when the groups themselves would be too many. */
const groupsLink = "http://schemas.microsoft.com/claims/groups.link";

/** Who an assertion proves, for how long it may be shown, and when the person's session there ends. */
export interface Proven {
  readonly principal: string;
  readonly groups: readonly string[];
  /** Epoch milliseconds. */
  readonly issuedAt: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** Epoch milliseconds; undefined where the identity provider sets no end. */
  readonly sessionEnds: number | undefined;
  /** The request that it answers; undefined where nobody asked. */
  readonly inResponseTo: string | undefined;
}

/**
 * The rules of SAML Core §2.3.3, §2.4 and §2.5 and of Profiles §4.1.4.2 and §4.1.4.3, in their order, on what was signed.
 * What is absent is refused.
 * @param now epoch milliseconds
 */
export function checkAssertion(assertion: Assertion, provider: SamlProvider, now: number): Proven {
  const skew = provider.skewSeconds * 1000;
  if (assertion.version !== "2.0") throw samlRefused("version");
  if (assertion.issuer !== provider.idp) throw samlRefused("issuer");
  if (assertion.issuedAt === undefined || assertion.issuedAt > now + skew) throw samlRefused("issued-in-future");
  const { inResponseTo, confirmedUntil } = checkConfirmation(assertion, provider, now);
  const validUntil = checkConditions(assertion.conditions, provider, now);
  const sessionEnds = checkAuthentication(assertion, now, skew);
  return {
    principal: parsePrincipalId(`${provider.name}/${subjectOf(assertion, provider)}`),
    groups: groupsOf(assertion, provider),
    issuedAt: assertion.issuedAt,
    expiresAt: Math.max(confirmedUntil, validUntil) + skew,
    sessionEnds,
    inResponseTo,
  };
}

/** Profiles §4.1.4.2: a bearer confirmation names its recipient and its end, and has no beginning. */
function checkConfirmation({ nameId, confirmations }: Assertion, provider: SamlProvider, now: number) {
  const [confirmation, ...others] = confirmations;
  if (nameId === undefined) throw samlRefused("no-subject");
  if (confirmation === undefined || others.length > 0 || confirmation.method !== bearer) throw samlRefused("confirmation");
  if (confirmation.recipient !== provider.acs) throw samlRefused("recipient");
  const { notOnOrAfter, notBeforeNamed, inResponseTo } = confirmation;
  if (notOnOrAfter === undefined || notBeforeNamed || notOnOrAfter + provider.skewSeconds * 1000 <= now)
    throw samlRefused("confirmation-time");
  if (notOnOrAfter > now + dayMs) throw samlRefused("too-long");
  return { inResponseTo, confirmedUntil: notOnOrAfter };
}

/** Core §2.5.1. @returns when it ends, epoch milliseconds */
function checkConditions(all: readonly Conditions[], { entityId, skewSeconds }: SamlProvider, now: number): number {
  const [conditions, ...others] = all;
  if (conditions === undefined || others.length > 0) throw samlRefused("no-conditions");
  const { notBefore, notBeforeNamed, notOnOrAfter, audiences, unknown } = conditions;
  if (notBeforeNamed && (notBefore === undefined || notBefore > now + skewSeconds * 1000)) throw samlRefused("not-yet-valid");
  if (notOnOrAfter === undefined || notOnOrAfter + skewSeconds * 1000 <= now) throw samlRefused("expired");
  if (notOnOrAfter > now + dayMs) throw samlRefused("too-long");
  // §2.5.1.4: every restriction must hold, and one holds where any of its audiences is ours.
  if (audiences.length === 0 || !audiences.every((one) => one.includes(entityId))) throw samlRefused("audience");
  // §2.5.1: with a condition that is not understood, an assertion's validity cannot be known.
  if (unknown) throw samlRefused("unknown-condition");
  return notOnOrAfter;
}

/** Core §2.7.2. @returns when the person's session at the identity provider ends, the earliest where several are named */
function checkAuthentication({ authentications }: Assertion, now: number, skew: number): number | undefined {
  if (authentications.length === 0) throw samlRefused("no-authentication");
  const ends: number[] = [];
  for (const { at, sessionEnds, endsNamed } of authentications) {
    if (at === undefined || at > now + skew) throw samlRefused("no-authentication");
    if (!endsNamed) continue;
    if (sessionEnds === undefined || sessionEnds <= now) throw samlRefused("session-over");
    ends.push(sessionEnds);
  }
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function subjectOf({ nameId, attributes }: Assertion, { subject }: SamlProvider): string {
  if ("nameIdFormat" in subject) {
    if (nameId?.format !== subject.nameIdFormat) throw samlRefused("name-id-format");
    return nameId.value;
  }
  const values = attributes.get(subject.attribute) ?? [];
  const [value] = values;
  if (values.length !== 1 || value === undefined || value === "") throw samlRefused("subject-attribute");
  return value;
}

function groupsOf({ attributes }: Assertion, { name, groups }: SamlProvider): readonly string[] {
  if (groups === undefined) return [];
  // Taking that for "no groups" would also lose every `forbid` that names one.
  if (attributes.has(groupsLink)) throw samlRefused("groups-elsewhere");
  const values = attributes.get(groups) ?? [];
  if (!values.every((value) => value !== undefined)) throw samlRefused("attribute-value");
  return [...new Set(values.map((group) => parseGroup(`${name}/${group}`)))];
}
