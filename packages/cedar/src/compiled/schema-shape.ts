import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import type { CedarValue, Entity, EntityUid } from "../entity.ts";

type Type = cedar.Type<string>;
type RecordShape = Readonly<Record<string, Type & { readonly required?: boolean }>>;
type Test = (value: unknown) => boolean;

/** What a question about one action must look like. */
export interface ActionShape {
  readonly principals: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
  readonly context: Test;
}

/** What an entity of one type must look like. */
interface EntityShape {
  /** Types of everything that it may be in, directly or not. */
  readonly above: ReadonlySet<string>;
  readonly attributes: Test;
}

/**
 * A schema as tests that run on each question. They pass only what Cedar's own validation passes; what they do not pass may
 * still be valid, and is left to it.
 */
export class SchemaShape {
  readonly #actions: ReadonlyMap<string, ActionShape>;
  readonly #entities: ReadonlyMap<string, EntityShape>;

  private constructor(actions: ReadonlyMap<string, ActionShape>, entities: ReadonlyMap<string, EntityShape>) {
    this.#actions = actions;
    this.#entities = entities;
  }

  /** The tests of a schema; undefined where it has something that they do not cover, such as namespaces or groups of actions. */
  static of(schema: string): SchemaShape | undefined {
    const parsed = cedar.schemaToJsonWithResolvedTypes(schema);
    if (parsed.type === "failure" || Object.keys(parsed.json).join() !== "") return undefined;
    const { actions, entityTypes } = parsed.json[""] as cedar.NamespaceDefinition<string>;
    if (Object.values(actions).some((action) => (action.memberOf ?? []).length > 0)) return undefined;
    const entities = new Map<string, EntityShape>();
    for (const [name, type] of Object.entries(entityTypes)) {
      if ("enum" in type || type.tags !== undefined) continue;
      const attributes = type.shape === undefined ? recordTest({}) : testOf(type.shape as Type);
      if (attributes !== undefined) entities.set(name, { above: typesAbove(name, entityTypes), attributes });
    }
    const shapes = new Map<string, ActionShape>();
    for (const [name, { appliesTo }] of Object.entries(actions)) {
      const context = appliesTo?.context === undefined ? recordTest({}) : testOf(appliesTo.context as Type);
      if (appliesTo === null || appliesTo === undefined || context === undefined) continue;
      // An entity type that is not covered is none that a question may be about.
      const covered = (types: readonly string[]) => new Set(types.filter((type) => entities.has(type)));
      shapes.set(name, { principals: covered(appliesTo.principalTypes), resources: covered(appliesTo.resourceTypes), context });
    }
    return new SchemaShape(shapes, entities);
  }

  /** Whether these entities are what the schema says. */
  fitsEntities(entities: readonly Entity[]): boolean {
    for (const { uid, attrs, parents } of entities) {
      const shape = this.#entities.get(uid.type);
      if (shape === undefined || !isText(uid.id) || !shape.attributes(attrs)) return false;
      for (const parent of parents) if (!shape.above.has(parent.type) || !isText(parent.id)) return false;
    }
    return true;
  }

  /** Whether the question may be asked at all. */
  fitsRequest(principal: EntityUid, action: EntityUid, resource: EntityUid, context: Readonly<Record<string, CedarValue>>): boolean {
    const shape = action.type === "Action" ? this.#actions.get(action.id) : undefined;
    return (
      shape?.principals.has(principal.type) === true &&
      shape.resources.has(resource.type) &&
      isText(principal.id) &&
      isText(resource.id) &&
      shape.context(context)
    );
  }
}

function typesAbove(name: string, types: Readonly<Record<string, cedar.EntityType<string>>>): Set<string> {
  const found = new Set<string>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const type = types[next];
    for (const above of type === undefined || "enum" in type ? [] : (type.memberOfTypes ?? [])) {
      if (found.has(above)) continue;
      found.add(above);
      waiting.push(above);
    }
  }
  return found;
}

/** The test of a type; undefined for one that is not covered. */
function testOf(type: Type): Test | undefined {
  switch (type.type) {
    case "String":
      return isText;
    case "Long":
      return Number.isSafeInteger;
    case "Bool":
    case "Boolean":
      return (value) => typeof value === "boolean";
    case "Set": {
      const element = testOf((type as { element: Type }).element);
      return element && ((value) => Array.isArray(value) && value.every(element));
    }
    case "Entity": {
      const { name } = type as { name: string };
      return (value) => isReference(value, name);
    }
    case "Record": {
      const { attributes, additionalAttributes } = type as { attributes: RecordShape; additionalAttributes?: boolean };
      return additionalAttributes === true ? undefined : recordTest(attributes);
    }
    default:
      return undefined;
  }
}

function recordTest(attributes: RecordShape): Test;
function recordTest(attributes: RecordShape): Test | undefined {
  const tests = new Map<string, Test>();
  const required: string[] = [];
  for (const [name, type] of Object.entries(attributes)) {
    const test = testOf(type);
    if (test === undefined) return undefined;
    tests.set(name, test);
    if (type.required !== false) required.push(name);
  }
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    for (const name of required) if (!Object.hasOwn(value, name)) return false;
    for (const name of Object.keys(value)) {
      const test = tests.get(name);
      if (test === undefined || !test((value as Record<string, unknown>)[name])) return false;
    }
    return true;
  };
}

/** Well-formed: a lone surrogate would reach Cedar as another character. */
const isText = (value: unknown): value is string => typeof value === "string" && value.isWellFormed();

function isReference(value: unknown, type: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  const keys = Object.keys(value);
  if (keys.length !== 1 || keys[0] !== "__entity") return false;
  const uid = (value as { __entity: unknown }).__entity as { type?: unknown; id?: unknown } | null;
  return typeof uid === "object" && uid !== null && Object.keys(uid).length === 2 && uid.type === type && isText(uid.id);
}
