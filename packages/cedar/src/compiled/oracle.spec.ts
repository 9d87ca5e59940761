import assert from "node:assert/strict";
import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import fc from "fast-check";
import { CompiledEngine, type EngineAnswer, type EngineQuestion, type Entity, OfficialEngine, type Policy } from "../index.ts";

// Any policies that Cedar parses, the ill-typed included: what a validator would have refused must not decide otherwise here.

const schema = `
entity Group;
entity Category;
entity User in [Group] { kind: String, level?: Long };
entity Agent in [User, Agent] { kind: String, depth: Long, owner: User, tags: Set<String>, inner: { a: Long, b?: Bool } };
entity Secret in [Category] { name: String };
action use appliesTo { principal: [User, Agent], resource: [Secret], context: { approvals: Set<String>, method?: String, owner?: User, size?: Long } };
action read appliesTo { principal: [User], resource: [Secret], context: { approvals: Set<String> } };
`;

const pick = <T>(...values: T[]) => fc.constantFrom(...values);
const uids = pick(
  'User::"u/a"',
  'User::"u/b"',
  'Agent::"u/a#x"',
  'Agent::"u/a#x/y"',
  'Group::"g/1"',
  'Group::"g/2"',
  'Category::"pay"',
  'Secret::"s/1"',
);
const leaf = pick(
  ...["principal", "action", "resource", "context", "true", "false", "0", "1", "-3", "7", "9007199254740991", "9223372036854775807"],
  ...[
    '"GET"',
    '"s/*"',
    '""',
    '"agent"',
    '"é😀"',
    "[]",
    '["GET", "PUT"]',
    "[1, 2, 1]",
    "{}",
    '{a: 1, "b c": true}',
    'Group::"g/1"',
    'User::"u/a"',
  ],
  ...[
    "principal.kind",
    "principal.depth",
    "principal.owner",
    "principal.tags",
    "principal.inner",
    "principal.inner.a",
    "principal.nothing",
  ],
  ...["context.approvals", "context.method", "context.owner", "context.size", "resource.name", 'Action::"use"', "principal.owner.kind"],
  ...['ip("10.0.0.1")', 'decimal("1.5")', '[principal, Group::"g/2"]', 'User::"u/b".kind', 'User::"nobody".kind'],
);
const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const one = tie("expression");
  const infix = fc
    .tuple(pick("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "&&", "||", "in"), one, one)
    .map(([op, l, r]) => `((${l}) ${op} (${r}))`);
  const method = fc.tuple(pick("contains", "containsAll", "containsAny"), one, one).map(([name, l, r]) => `(${l}).${name}(${r})`);
  const rest = fc.oneof(
    fc.tuple(pick("!", "-"), one).map(([op, inner]) => `(${op}(${inner}))`),
    fc.tuple(one, one, one).map(([test, yes, no]) => `(if ${test} then ${yes} else ${no})`),
    fc.tuple(one, pick("a", "kind", "method", "size", "inner.b", "inner.a.c", "level")).map(([inner, name]) => `((${inner}) has ${name})`),
    fc.tuple(one, pick("User", "Agent", "Secret")).map(([inner, type]) => `((${inner}) is ${type})`),
    fc.tuple(one, one).map(([inner, above]) => `((${inner}) is Agent in (${above}))`),
    fc.tuple(one, pick("*", "s/*", "*1", "G*T", "", "a*e*t", "\\\\*", "*é*")).map(([inner, pattern]) => `((${inner}) like "${pattern}")`),
    one.map((inner) => `(${inner}).isEmpty()`),
    fc.tuple(one, one).map(([a, b]) => `[${a}, ${b}]`),
    one.map((inner) => `{a: ${inner}}.a`),
    one.map((inner) => `(${inner}).isLoopback()`),
  );
  return {
    expression: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 4, arbitrary: leaf },
      { weight: 4, arbitrary: infix },
      { weight: 1, arbitrary: method },
      { weight: 3, arbitrary: rest },
    ),
  };
});
// Mostly what people write, so that policies hold often enough to tell engines apart.
const sensible = pick(
  ...['context has method && context.method != "POST"', 'context.approvals.contains("a")', "principal is Agent && principal.depth > 1"],
  ...['resource.name like "s/*"', "principal has level && principal.level * 2 - 1 >= 3", 'principal in [Group::"g/1", Group::"g/2"]'],
  ...[
    'principal is Agent && principal.tags.containsAny(["t", "v"])',
    'context has owner && context.owner == User::"u/a"',
    "principal == principal",
  ],
  ...[
    "context has size && context.size + 9223372036854775800 > 0",
    'context.approvals == ["b", "a", "b"]',
    "principal is Agent && principal.owner in principal",
  ],
);
const scopeOf = (name: string) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(name) },
    uids.map((uid) => `${name} == ${uid}`),
    uids.map((uid) => `${name} in ${uid}`),
    pick("User", "Agent", "Secret").map((type) => `${name} is ${type}`),
    fc.tuple(pick("User", "Agent", "Secret"), uids).map(([type, uid]) => `${name} is ${type} in ${uid}`),
  );
const action = pick(
  "action",
  'action == Action::"use"',
  'action in Action::"use"',
  'action in [Action::"use", Action::"read"]',
  "action in []",
);
const clause = fc
  .tuple(pick("when", "unless"), fc.oneof({ weight: 3, arbitrary: sensible }, expression))
  .map(([kind, body]) => `${kind} { ${body} }`);
const text = fc
  .tuple(pick("permit", "permit", "forbid"), scopeOf("principal"), action, scopeOf("resource"), fc.array(clause, { maxLength: 2 }))
  .map(([effect, principal, action, resource, clauses]) => `${effect} (${principal}, ${action}, ${resource}) ${clauses.join(" ")};`);

const user = (id: string, groups: string[], attrs: object = { kind: "person" }): Entity =>
  ({ uid: { type: "User", id }, attrs, parents: groups.map((group) => ({ type: "Group", id: group })) }) as Entity;
const agent = (id: string, depth: number, parents: Entity["parents"], attrs: object = {}): Entity =>
  ({
    uid: { type: "Agent", id },
    attrs: { kind: "agent", depth, owner: { __entity: { type: "User", id: "u/a" } }, tags: ["t", "u"], inner: { a: depth }, ...attrs },
    parents,
  }) as Entity;
const secret = (id: string, categories: string[]): Entity => ({
  uid: { type: "Secret", id },
  attrs: { name: id },
  parents: categories.map((category) => ({ type: "Category", id: category })),
});
const [a, x, y] = [
  { type: "User", id: "u/a" },
  { type: "Agent", id: "u/a#x" },
  { type: "Agent", id: "u/a#x/y" },
];

const entities: fc.Arbitrary<Entity[]> = fc
  .record({
    groups: fc.subarray(["g/1", "g/2"]),
    level: pick({ kind: "person" }, { kind: "person", level: 2 }),
    categories: fc.subarray(["pay", "high"]),
    // What the schema does not have, or a graph cannot have: refused by Cedar, and so by both.
    odd: pick<Entity[]>(
      ...Array.from({ length: 100 }, () => []),
      [user("u/c", [], { kind: 5 })],
      [user("u/c", [], {})],
      [user("u/c", [], { kind: "person", more: 1 })],
      [user("u/a", [])],
      [agent("u/z", 1, [{ type: "Agent", id: "u/z" }])],
      [agent("u/z", 1, [{ type: "Agent", id: "u/w" }]), agent("u/w", 1, [{ type: "Agent", id: "u/z" }])],
      [agent("u/z", 1, [{ type: "Category", id: "pay" }])],
      [agent("u/z", 1.5, [])],
      [agent("u/z", 1, [], { inner: { b: true } })],
      [agent("u/z", 1, [], { owner: { __entity: { type: "Agent", id: "u/a" } } })],
      [agent("u/z", 1, [], { tags: ["t", 1] })],
      [{ uid: { type: "Robot", id: "r" }, attrs: {}, parents: [] }],
      [user("u/\ud800", [])],
    ),
    missing: pick(...Array.from({ length: 8 }, () => undefined), "User", "Secret"),
  })
  .map(({ groups, level, categories, odd, missing }) =>
    [
      user("u/a", groups, level),
      user("u/b", ["g/2"]),
      agent(x.id, 1, [a]),
      agent(y.id, 2, [x, a]),
      secret("s/1", categories),
      secret("s/2", []),
      ...odd,
    ].filter(({ uid }) => uid.type !== missing),
  );
const context = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record(
      {
        approvals: fc.subarray(["a", "b"]).map((names) => [...names]),
        method: pick("GET", "POST", "é😀", ""),
        owner: pick("u/a", "u/b").map((id) => ({ __entity: { type: "User", id } })),
        size: pick(0, -1, 2, Number.MAX_SAFE_INTEGER),
      },
      { requiredKeys: ["approvals"] },
    ),
  },
  pick<object>(
    {},
    { approvals: "a" },
    { approvals: [], more: 1 },
    { approvals: [], method: 5 },
    { approvals: [], method: null },
    { approvals: [], size: 2 ** 60 },
    { approvals: ["\ud800"] },
    { approvals: [], owner: { __entity: { type: "Group", id: "g" } } },
  ),
);
const asked = fc.record({
  principal: pick(a, a, { type: "User", id: "u/b" }, x, x, y, y, y, { type: "User", id: "nobody" }, { type: "Group", id: "g/1" }),
  action: pick("use", "use", "use", "use", "use", "use", "read", "sing").map((id) => ({ type: "Action", id })),
  resource: pick("s/1", "s/1", "s/2", "nothing").map((id) => ({ type: "Secret", id })),
  context,
  entities,
}) as fc.Arbitrary<EngineQuestion>;

/** Cedar names any one of several wrong entities, and errors in any order. */
const told = ({ errors, ...answer }: EngineAnswer) => ({
  ...answer,
  errors: errors.map(({ policy, message }) => (policy === undefined ? "the question" : `${policy}: ${message}`)).sort(),
});
const policyOf = (source: string, id: string): Policy | undefined => {
  const answer = cedar.policyToJson(source);
  if (answer.type === "failure") return undefined;
  const { effect } = answer.json;
  return { id, effect, annotations: new Map(), json: answer.json, text: source, file: { name: "x", text: source }, offset: 0 };
};

describe("the compiled engine, for any policies and any question", () => {
  it("answers as Cedar's own engine does, errors included", () => {
    const seen = { allow: 0, deny: 0, errors: 0, official: 0, asked: 0 };
    const official = OfficialEngine.prototype.evaluate;
    let counting = false;
    OfficialEngine.prototype.evaluate = function (question) {
      if (counting) seen.official++;
      return official.call(this, question);
    };
    try {
      fc.assert(
        fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), fc.array(asked, { minLength: 4, maxLength: 8 }), (texts, questions) => {
          const policies = texts.map((source, index) => policyOf(source, `p${index}`)).filter((policy) => policy !== undefined);
          const [reference, compiled] = [new OfficialEngine(policies, schema), new CompiledEngine(policies, schema)];
          try {
            for (const question of questions) {
              const expected = reference.evaluate(question);
              counting = true;
              const answer = compiled.evaluate(question);
              counting = false;
              assert.deepEqual(told(answer), told(expected));
              seen[expected.decision]++;
              seen.asked++;
              if (expected.errors.length > 0) seen.errors++;
            }
          } finally {
            counting = false;
            reference.release();
            compiled.release();
          }
        }),
        { numRuns: 150 },
      );
    } finally {
      OfficialEngine.prototype.evaluate = official;
    }
    assert.ok(seen.allow > 50 && seen.errors > 100, `every outcome was met: ${JSON.stringify(seen)}`);
    assert.ok(seen.official < seen.asked * 0.7, `it answered by itself too: ${JSON.stringify(seen)}`);
  });
});
