/** What an action is taken on. */
export type Subject = "secret" | "installation" | "either";

interface ActionRule {
  readonly on: Subject;
  /** Whether it happens at a target, which must then be named. */
  readonly atTarget: boolean;
  /** Facts of the request that policies may read: texts. */
  readonly facts: readonly string[];
  /** And sets of texts. */
  readonly lists: readonly string[];
}

const plain = (on: Subject, facts: readonly string[] = [], lists: readonly string[] = []): ActionRule => ({
  on,
  atTarget: false,
  facts,
  lists,
});

/** Every action of the schema, as the decision needs it. */
export const actionRules: ReadonlyMap<string, ActionRule> = new Map([
  ["use", { on: "secret", atTarget: true, facts: ["method", "path"], lists: [] }],
  ["list", plain("secret")],
  ["read", plain("secret")],
  ["write", plain("secret")],
  ["reveal", plain("secret")],
  ["lease", plain("secret")],
  ["approve", plain("either")],
  ["delegate", plain("installation", ["agent", "name", "ticket"], ["actions", "secrets", "targets"])],
  ["revoke", plain("installation", ["sessionId", "principal", "provider", "agent"])],
  ["replay", plain("installation")],
  ["administer", plain("installation")],
]);
