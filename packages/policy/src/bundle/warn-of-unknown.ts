import { entitiesIn, type PolicyProblem, problemIn } from "@sallyport/cedar";
import type { Catalogue } from "../catalogue.ts";
import type { PolicyBundle } from "./policy-bundle.ts";

/**
 * Secrets and targets that policies name and the configuration does not: a permit of one permits nothing, and a forbid of one forbids
 * nothing, which is worse where the name is a mistyped one. A warning only, as policies may be there before the connection is.
 */
export function warnOfUnknown({ policies }: Pick<PolicyBundle, "policies">, catalogue: Catalogue): PolicyProblem[] {
  return policies.flatMap((policy) => {
    const unknown = new Map<string, { type: string; id: string }>();
    for (const { type, id } of entitiesIn(policy.json)) if (isUnknown(type, id, catalogue)) unknown.set(`${type} ${id}`, { type, id });
    return [...unknown.values()].map(({ type, id }) =>
      problemIn(
        policy,
        `no connection serves the ${type.toLowerCase()} "${id}", so this policy ${policy.effect === "permit" ? "permits" : "forbids"} nothing for it; mend the name, or add it to the configuration`,
        (token) => token.kind === "string" && token.text === JSON.stringify(id),
      ),
    );
  });
}

function isUnknown(type: string, id: string, catalogue: Catalogue): boolean {
  if (type === "Secret") return catalogue.categoriesOf(id) === undefined;
  return type === "Target" && !catalogue.hasTarget(id);
}
