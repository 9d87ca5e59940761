import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import type { Entity } from "./entity.ts";
import type { Policy } from "./policy.ts";
import type { EngineAnswer, EngineQuestion, EvaluationError, PolicyEngine } from "./policy-engine.ts";
import { staticPolicies } from "./validate-policies.ts";

// The wasm module keeps prepared sets under a name, for as long as the process lives: a name is used again once its engine is gone.
const freeSlots: string[] = [];
let slots = 0;

/**
 * Cedar's own engine: the reference for every other. Policies are parsed once; a decision takes time in proportion to their
 * number. Each question is validated against the schema, so that what the validator proved of the policies holds for it.
 */
export class OfficialEngine implements PolicyEngine {
  readonly #slot: string;
  #released = false;

  /**
   * @param policies from {@link parsePolicies}, with the same schema
   * @throws where Cedar refuses them, which a parsed set does not bring about
   */
  constructor(policies: Iterable<Policy>, schema: string) {
    this.#slot = freeSlots.pop() ?? `set-${++slots}`;
    const prepared = [
      cedar.preparseSchema(this.#slot, schema),
      cedar.preparsePolicySet(this.#slot, { staticPolicies: staticPolicies(policies) }),
    ];
    for (const answer of prepared) if (answer.type === "failure") throw new Error(answer.errors.map((error) => error.message).join("; "));
  }

  evaluate(question: EngineQuestion): EngineAnswer {
    if (this.#released) return failed([{ message: "the policy set is no longer served" }]);
    try {
      const answer = cedar.statefulIsAuthorized({
        principal: question.principal,
        action: question.action,
        resource: question.resource,
        context: question.context as cedar.Context,
        entities: question.entities as readonly Entity[] as cedar.Entities,
        preparsedPolicySetId: this.#slot,
        preparsedSchemaName: this.#slot,
        validateRequest: true,
      });
      if (answer.type === "failure") return failed(answer.errors.map(({ message }) => ({ message })));
      const { decision, diagnostics } = answer.response;
      return {
        decision,
        determining: diagnostics.reason.toSorted(),
        errors: diagnostics.errors.map(({ policyId, error }) => ({ policy: policyId, message: error.message })),
      };
    } catch (error) {
      return failed([{ message: `the engine failed: ${error instanceof Error ? error.message : String(error)}` }]);
    }
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    cedar.preparsePolicySet(this.#slot, { staticPolicies: {} });
    freeSlots.push(this.#slot);
  }
}

const failed = (errors: readonly EvaluationError[]): EngineAnswer => ({ decision: "deny", determining: [], errors });
