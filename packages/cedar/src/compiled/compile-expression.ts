import type { CedarValue, EntityUid } from "../entity.ts";
import type { Expr } from "../expression.ts";
import type { Hierarchy } from "./hierarchy.ts";
import { matcherOf, type Pattern } from "./like.ts";
import { EntityValue, equal, integer, NotCompiled, RecordValue, SetValue, type Value, valueOfJson } from "./value.ts";

/** What an expression is evaluated in. */
export interface Environment {
  readonly principal: EntityValue;
  readonly action: EntityValue;
  readonly resource: EntityValue;
  readonly context: RecordValue;
  readonly hierarchy: Hierarchy;
}

/** @throws NotCompiled where evaluation would be an error, or may leave what is compiled */
export type Compiled = (environment: Environment) => Value;

interface Binary {
  readonly left: Expr;
  readonly right: Expr;
}

/** Compiles an expression into closures. @throws NotCompiled for operators and functions that are left to the official engine */
export function compileExpression(expression: Expr): Compiled {
  const [operator, ...others] = Object.keys(expression);
  const compile = operator === undefined || others.length > 0 ? undefined : compilers[operator];
  if (compile === undefined) throw new NotCompiled("an operator that is not compiled");
  return compile((expression as Record<string, unknown>)[operator as string] as never);
}

const compilers: Readonly<Record<string, (operand: never) => Compiled>> = {
  Value: (json: CedarValue) => {
    const value = valueOfJson(json);
    return () => value;
  },
  Var: (name: string) => {
    const read = variables[name];
    if (read === undefined) throw new NotCompiled("a variable of another kind");
    return read;
  },
  "!": ({ arg }: { arg: Expr }) => {
    const inner = compileExpression(arg);
    return (at) => !truth(inner(at));
  },
  neg: ({ arg }: { arg: Expr }) => {
    const inner = compileExpression(arg);
    return (at) => integer(-long(inner(at)));
  },
  "&&": ({ left, right }: Binary) => {
    const [one, other] = [compileExpression(left), compileExpression(right)];
    return (at) => truth(one(at)) && truth(other(at));
  },
  "||": ({ left, right }: Binary) => {
    const [one, other] = [compileExpression(left), compileExpression(right)];
    return (at) => truth(one(at)) || truth(other(at));
  },
  "if-then-else": (branches: { if: Expr; then: Expr; else: Expr }) => {
    const [test, yes, no] = [compileExpression(branches.if), compileExpression(branches.then), compileExpression(branches.else)];
    return (at) => (truth(test(at)) ? yes(at) : no(at));
  },
  "==": binary(equal),
  "!=": binary((one, other) => !equal(one, other)),
  "<": binary((one, other) => long(one) < long(other)),
  "<=": binary((one, other) => long(one) <= long(other)),
  ">": binary((one, other) => long(one) > long(other)),
  ">=": binary((one, other) => long(one) >= long(other)),
  "+": binary((one, other) => integer(long(one) + long(other))),
  "-": binary((one, other) => integer(long(one) - long(other))),
  "*": binary((one, other) => integer(long(one) * long(other))),
  contains: binary((one, other) => set(one).contains(other)),
  containsAll: binary((one, other) => set(other).within(set(one))),
  containsAny: binary((one, other) => {
    const wanted = set(other);
    return set(one).items.some((item) => wanted.contains(item));
  }),
  isEmpty: ({ arg }: { arg: Expr }) => {
    const inner = compileExpression(arg);
    return (at) => set(inner(at)).items.length === 0;
  },
  in: ({ left, right }: Binary) => {
    const [one, other] = [compileExpression(left), compileExpression(right)];
    return (at) => isIn(entity(one(at)), other(at), at.hierarchy);
  },
  is: (test: { left: Expr; entity_type: string; in?: Expr }) => {
    const inner = compileExpression(test.left);
    const above = test.in === undefined ? undefined : compileExpression(test.in);
    return (at) => {
      const uid = entity(inner(at));
      return uid.type === test.entity_type && (above === undefined || isIn(uid, above(at), at.hierarchy));
    };
  },
  like: ({ left, pattern }: { left: Expr; pattern: Pattern }) => {
    const [inner, matches] = [compileExpression(left), matcherOf(pattern)];
    return (at) => matches(text(inner(at)));
  },
  has: ({ left, attr }: { left: Expr; attr: string | readonly string[] }) => {
    const [inner, path] = [compileExpression(left), [attr].flat() as string[]];
    return (at) => {
      let value = inner(at);
      for (const [depth, name] of path.entries()) {
        const next = attributeOf(value, name, at.hierarchy);
        if (next === undefined) return false;
        if (depth < path.length - 1) value = next;
      }
      return true;
    };
  },
  ".": ({ left, attr }: { left: Expr; attr: string }) => {
    const inner = compileExpression(left);
    return (at) => {
      const value = attributeOf(inner(at), attr, at.hierarchy);
      if (value === undefined) throw new NotCompiled("an attribute that is not there");
      return value;
    };
  },
  Set: (items: readonly Expr[]) => {
    const compiled = items.map(compileExpression);
    return (at) => new SetValue(compiled.map((item) => item(at)));
  },
  Record: (attributes: Readonly<Record<string, Expr>>) => {
    const compiled = Object.entries(attributes).map(([name, value]) => [name, compileExpression(value)] as const);
    return (at) => new RecordValue(new Map(compiled.map(([name, value]) => [name, value(at)])));
  },
};

function binary(apply: (one: Value, other: Value) => Value) {
  return ({ left, right }: Binary): Compiled => {
    const [one, other] = [compileExpression(left), compileExpression(right)];
    return (at) => apply(one(at), other(at));
  };
}

const variables: Readonly<Record<string, Compiled>> = {
  principal: (at) => at.principal,
  action: (at) => at.action,
  resource: (at) => at.resource,
  context: (at) => at.context,
};

function attributeOf(value: Value, name: string, hierarchy: Hierarchy): Value | undefined {
  if (value instanceof RecordValue) return value.get(name);
  const attributes = hierarchy.attributesOf(entity(value));
  return attributes !== undefined && Object.hasOwn(attributes, name) ? valueOfJson(attributes[name] as CedarValue) : undefined;
}

function isIn(uid: EntityUid, above: Value, hierarchy: Hierarchy): boolean {
  if (above instanceof EntityValue) return hierarchy.isIn(uid, above.uid);
  // Every element is looked at, since one that is no entity is an error wherever it stands.
  return set(above)
    .items.map((item) => hierarchy.isIn(uid, entity(item)))
    .includes(true);
}

// What is not of the type that an operator wants is an error in Cedar, told by the official engine.

function truth(value: Value): boolean {
  if (typeof value === "boolean") return value;
  throw new NotCompiled("no truth value");
}

function long(value: Value): number {
  if (typeof value === "number") return value;
  throw new NotCompiled("no integer");
}

function text(value: Value): string {
  if (typeof value === "string") return value;
  throw new NotCompiled("no text");
}

function set(value: Value): SetValue {
  if (value instanceof SetValue) return value;
  throw new NotCompiled("no set");
}

function entity(value: Value): EntityUid {
  if (value instanceof EntityValue) return value.uid;
  throw new NotCompiled("no entity");
}
