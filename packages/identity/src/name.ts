import { printable, Refusal } from "@sallyport/contracts";

/** Most characters of a subject, a group's own name or a ceiling's name. */
export const maxNameLength = 200;

/** Most characters of any id: a principal and sixteen agents below it. */
const maxIdLength = 32 + 1 + maxNameLength + 17 * 64;

const providerForm = /^[a-z0-9-]{1,32}$/;
const agentNameForm = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const sessionIdForm = /^[A-Za-z0-9_-]{22}$/;
/** Control, format, private, unassigned, surrogate, any kind of space, and what renders as nothing. */
const invisible = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u;

/** A trust provider's name: `[a-z0-9-]`, 1 to 32 characters. @throws Refusal INVALID_REQUEST */
export function parseProvider(text: string): string {
  return providerForm.test(text) ? text : refuse("trust provider's name", text, "lower-case letters, digits and `-`, at most 32");
}

/**
 * A principal, `<provider>/<subject>`. The subject is in Unicode form NFC, has no space and nothing invisible, so that two
 * ids that look the same are the same, and no `#`, which begins an agent's part. @throws Refusal INVALID_REQUEST
 */
export function parsePrincipalId(text: string): string {
  const [provider, subject] = splitAt(text, "/");
  if (!providerForm.test(provider) || !isVisible(subject) || subject.includes("#")) {
    return refuse("principal", text, "`<provider>/<subject>`, the subject without spaces or `#` and at most 200 characters");
  }
  return text;
}

/** A group, `<provider>/<group>`; unlike a subject it may hold single spaces between words. @throws Refusal INVALID_REQUEST */
export function parseGroup(text: string): string {
  const [provider, group] = splitAt(text, "/");
  if (!providerForm.test(provider) || (!isVisible(group) && !group.split(" ").every(isVisible)) || group.length > maxNameLength) {
    return refuse("group", text, "`<provider>/<group>`, the group's name at most 200 visible characters");
  }
  return text;
}

/** One agent's name below its parent: `[a-z0-9][a-z0-9._-]{0,62}`. @throws Refusal INVALID_REQUEST */
export function parseAgentName(text: string): string {
  return agentNameForm.test(text) ? text : refuse("agent's name", text, "lower-case letters, digits, `.`, `_` and `-`, at most 63");
}

/** An agent, `<principal>#<name>/<name>/…`. @throws Refusal INVALID_REQUEST */
export function parseAgentId(text: string): string {
  const [principal, names] = splitAt(text, "#");
  if (text.length > maxIdLength || !names.split("/").every((name) => agentNameForm.test(name))) {
    return refuse("agent", text, "`<provider>/<subject>#<name>/<name>/…`");
  }
  parsePrincipalId(principal);
  return text;
}

/** A session's id: 128 random bits, base64url, 22 characters. @throws Refusal INVALID_REQUEST */
export function parseSessionId(text: string): string {
  return sessionIdForm.test(text) ? text : refuse("session's id", text, "the 22 characters that authn gave it");
}

/** The provider of a principal's or an agent's id. */
export const providerOf = (id: string): string => splitAt(id, "/")[0];

/** Whether a text is one visible word in NFC: what a reader sees is what a policy compares. */
export const isVisible = (text: string): boolean =>
  text.length > 0 && text.length <= maxNameLength && !invisible.test(text) && text.normalize("NFC") === text;

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function refuse(what: string, text: string, form: string): never {
  throw new Refusal("INVALID_REQUEST", `"${printable(text, 60)}" is no ${what}: write ${form}.`);
}
