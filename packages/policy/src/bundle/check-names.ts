import { entitiesIn, type Policy, type PolicyProblem, problemIn } from "@sallyport/cedar";
import { printable } from "@sallyport/contracts";
import { parseAgentId, parseGroup, parsePrincipalId } from "@sallyport/identity";

/** The one installation that there is. */
export const installationId = "sallyport";

const asciiName = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;
const isAsciiName = (id: string) => id.length <= 200 && asciiName.test(id);
const parses = (parse: (text: string) => string) => (id: string) => {
  try {
    return parse(id) === id;
  } catch {
    return false;
  }
};

const forms: Readonly<Record<string, { readonly fits: (id: string) => boolean; readonly form: string }>> = {
  User: { fits: parses(parsePrincipalId), form: '"<provider>/<subject>"' },
  Agent: { fits: parses(parseAgentId), form: '"<provider>/<subject>#<agent>/…"' },
  Group: { fits: parses(parseGroup), form: '"<provider>/<group>"' },
  Secret: { fits: isAsciiName, form: 'segments of ASCII letters, digits, ".", "_" and "-", parted by "/"' },
  Category: { fits: isAsciiName, form: 'ASCII letters, digits, ".", "_" and "-"' },
  Target: { fits: isAsciiName, form: 'ASCII letters, digits, ".", "_" and "-"' },
  Installation: { fits: (id) => id === installationId, form: `"${installationId}"` },
};

/**
 * Refuses a name that nothing can ever have: empty, a wildcard, a look-alike, another normalisation. In a forbid it would be
 * a rule that silently never holds.
 */
export function checkNames(policy: Policy): PolicyProblem[] {
  return entitiesIn(policy.json).flatMap(({ type, id }) => {
    const rule = forms[type];
    if (rule === undefined || rule.fits(id)) return [];
    const at = (token: { kind: string; text: string }) =>
      token.kind === "string" && (token.text === JSON.stringify(id) || token.text.includes("\\"));
    return [problemIn(policy, `${type}::"${printable(id, 60)}" can name nothing: a ${type}'s name is exact, ${rule.form}`, at)];
  });
}
