import type { Entity, EntityUid } from "../entity.ts";
import { OfficialEngine } from "../official-engine.ts";
import type { Policy } from "../policy.ts";
import type { EngineAnswer, EngineQuestion, PolicyEngine } from "../policy-engine.ts";
import type { Environment } from "./compile-expression.ts";
import { compilePolicy } from "./compile-policy.ts";
import { Hierarchy, type Node } from "./hierarchy.ts";
import { PolicyIndex } from "./policy-index.ts";
import { SchemaShape } from "./schema-shape.ts";
import { EntityValue, JsonRecord, NotCompiled } from "./value.ts";

/**
 * Policies compiled to an index and closures: a decision costs microseconds and looks at those policies alone whose scope may
 * fit, however many there are. It answers only where it gives what Cedar's own engine would: a question that does not pass
 * the schema's tests, an operator that is not compiled, and every evaluation error goes to the {@link OfficialEngine}.
 */
export class CompiledEngine implements PolicyEngine {
  readonly #official: OfficialEngine;
  readonly #shape: SchemaShape | undefined;
  readonly #index: PolicyIndex | undefined;
  #released = false;
  /** The entities that were asked about last: every link of a chain is asked with the same ones. */
  #last: { readonly entities: readonly Entity[]; readonly hierarchy: Hierarchy } | undefined;

  /**
   * @param policies from {@link parsePolicies}, with the same schema
   * @throws where Cedar refuses them, which a parsed set does not bring about
   */
  constructor(policies: readonly Policy[], schema: string) {
    this.#official = new OfficialEngine(policies, schema);
    this.#shape = SchemaShape.of(schema);
    try {
      this.#index = new PolicyIndex(policies.map(compilePolicy));
    } catch {
      // Whatever it is, such as an expression too deep for this stack: the reference answers instead.
    }
  }

  evaluate(question: EngineQuestion): EngineAnswer {
    if (this.#index === undefined || this.#shape === undefined || this.#released) return this.#official.evaluate(question);
    try {
      return this.#evaluate(question, this.#shape, this.#index);
    } catch {
      // Whatever it is: the reference knows better, and says what is wrong.
      this.#last = undefined;
      return this.#official.evaluate(question);
    }
  }

  release(): void {
    this.#released = true;
    this.#last = undefined;
    this.#official.release();
  }

  #evaluate({ principal, action, resource, context, entities }: EngineQuestion, shape: SchemaShape, index: PolicyIndex): EngineAnswer {
    const hierarchy = this.#hierarchyOf(entities, shape);
    if (!shape.fitsRequest(principal, action, resource, context)) throw new NotCompiled("a question that the schema does not have");
    const environment: Environment = {
      principal: new EntityValue(principal),
      action: new EntityValue(action),
      resource: new EntityValue(resource),
      context: new JsonRecord(context),
      hierarchy,
    };
    const permits: string[] = [];
    const forbids: string[] = [];
    for (const policy of index.candidates(action.id, above(principal, hierarchy), above(resource, hierarchy))) {
      // Every one is evaluated whatever the others say, as an error in any of them is a decision of its own.
      if (policy.applies(principal, resource, hierarchy) && policy.holds(environment))
        (policy.effect === "permit" ? permits : forbids).push(policy.id);
    }
    const decision = forbids.length === 0 && permits.length > 0 ? "allow" : "deny";
    return { decision, determining: (decision === "allow" ? permits : forbids).sort(), errors: [] };
  }

  #hierarchyOf(entities: readonly Entity[], shape: SchemaShape): Hierarchy {
    if (this.#last?.entities === entities) return this.#last.hierarchy;
    if (!shape.fitsEntities(entities)) throw new NotCompiled("entities that the schema does not have");
    const hierarchy = new Hierarchy(entities);
    this.#last = { entities, hierarchy };
    return hierarchy;
  }
}

function above(uid: EntityUid, hierarchy: Hierarchy): Node[] {
  const node = hierarchy.nodeOf(uid);
  return [node, ...hierarchy.ancestorsOf(node)];
}
