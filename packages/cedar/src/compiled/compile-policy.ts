import type { EntityUid } from "../entity.ts";
import type { PolicyJson } from "../expression.ts";
import type { Policy } from "../policy.ts";
import { type Compiled, compileExpression, type Environment } from "./compile-expression.ts";
import type { Hierarchy } from "./hierarchy.ts";
import { NotCompiled, sameUid } from "./value.ts";

type Scope = PolicyJson["principal"] | PolicyJson["resource"];

/** Where a policy's scope can be found by an entity: the principal or resource must be it, or be in it. */
export interface ScopeKey {
  readonly of: "principal" | "resource";
  readonly uid: EntityUid;
}

/** A policy as it is evaluated. */
export interface CompiledPolicy {
  readonly id: string;
  readonly effect: "permit" | "forbid";
  /** The actions that it is about; undefined for all. */
  readonly actions: readonly string[] | undefined;
  /** What it is found by; undefined where its scope names no entity. */
  readonly key: ScopeKey | undefined;
  /** Whether its scope holds. Never an error. */
  applies(principal: EntityUid, resource: EntityUid, hierarchy: Hierarchy): boolean;
  /** Whether its conditions hold. @throws NotCompiled where the official engine is to be asked */
  holds(environment: Environment): boolean;
}

/** Compiles a policy; where its conditions cannot be, they say so when they are first needed. @throws NotCompiled for its scope */
export function compilePolicy({ id, effect, json }: Policy): CompiledPolicy {
  const [principal, resource] = [compileScope(json.principal), compileScope(json.resource)];
  const key: ScopeKey | undefined =
    principal.uid !== undefined
      ? { of: "principal", uid: principal.uid }
      : resource.uid !== undefined
        ? { of: "resource", uid: resource.uid }
        : undefined;
  return {
    id,
    effect,
    actions: actionsOf(json.action),
    key,
    applies: (asker, asked, hierarchy) => principal.admits(asker, hierarchy) && resource.admits(asked, hierarchy),
    holds: compileConditions(json),
  };
}

interface CompiledScope {
  readonly uid: EntityUid | undefined;
  admits(uid: EntityUid, hierarchy: Hierarchy): boolean;
}

function compileScope(scope: Scope): CompiledScope {
  switch (scope.op) {
    case "All":
      return { uid: undefined, admits: () => true };
    case "==": {
      const uid = uidIn(scope);
      return { uid, admits: (given) => sameUid(given, uid) };
    }
    case "in": {
      const uid = uidIn(scope);
      return { uid, admits: (given, hierarchy) => hierarchy.isIn(given, uid) };
    }
    case "is": {
      const { entity_type: type, in: above } = scope;
      if (above === undefined) return { uid: undefined, admits: (given) => given.type === type };
      const uid = uidIn(above);
      return { uid, admits: (given, hierarchy) => given.type === type && hierarchy.isIn(given, uid) };
    }
    default:
      throw new NotCompiled("a scope of another kind");
  }
}

/** The schema has no groups of actions, so that `in` is `==` here. */
function actionsOf(scope: PolicyJson["action"]): string[] | undefined {
  if (scope.op === "All") return undefined;
  const uids = "entities" in scope ? scope.entities.map((entity) => uidIn({ entity })) : [uidIn(scope)];
  return uids.filter(({ type }) => type === "Action").map(({ id }) => id);
}

function uidIn(constraint: object): EntityUid {
  const { entity } = constraint as { entity?: EntityUid | { __entity: EntityUid } };
  if (entity === undefined) throw new NotCompiled("a slot of a template");
  return "__entity" in entity ? entity.__entity : entity;
}

function compileConditions({ conditions }: PolicyJson): (environment: Environment) => boolean {
  let compiled: { unless: boolean; test: Compiled }[];
  try {
    compiled = conditions.map(({ kind, body }) => ({ unless: kind === "unless", test: compileExpression(body) }));
  } catch (error) {
    // Whatever it is: a question that this policy is a candidate for goes to the reference.
    return () => {
      throw error;
    };
  }
  return (environment) => {
    for (const { unless, test } of compiled) {
      const value = test(environment);
      if (typeof value !== "boolean") throw new NotCompiled("a condition that is no truth value");
      if (value === unless) return false;
    }
    return true;
  };
}
