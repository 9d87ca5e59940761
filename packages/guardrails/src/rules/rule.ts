import type { ValueTest } from "../values/value-test.ts";

/** Tests by name: of a header, a parameter, a field, or a JSON Pointer. */
export type Tests = Readonly<Record<string, ValueTest>>;

export interface GraphqlTest {
  readonly types?: readonly ("query" | "mutation" | "subscription")[] | undefined;
  /** Names of operations. */
  readonly operations?: readonly string[] | undefined;
  readonly rootFields?: readonly string[] | undefined;
  /** In `require`. */
  readonly maxDepth?: number | undefined;
  /** In `block`. */
  readonly deeperThan?: number | undefined;
}

export interface McpTest {
  /** JSON-RPC methods; in `block`, `tools/call` where none is named. */
  readonly methods?: readonly string[] | undefined;
  readonly tools?: readonly string[] | undefined;
  /** By JSON Pointer into a tool call's arguments. */
  readonly arguments?: Tests | undefined;
}

export interface MultipartTest {
  readonly fields?: Tests | undefined;
  readonly files?:
    | {
        /** Media types. */
        readonly types?: readonly string[] | undefined;
        /** Of its file name. */
        readonly name?: ValueTest | undefined;
        /** In `require`. */
        readonly maxCount?: number | undefined;
      }
    | undefined;
}

export interface FieldsTest {
  /** Compared without case, `_`, `-` and `.`. */
  readonly names: readonly string[];
  /** Of each value under such a name. */
  readonly value: ValueTest;
}

/** What a request is looked at for; all that is given counts together. At most one of those that read the body. */
export interface Conditions {
  readonly query?: Tests | undefined;
  readonly headers?: Tests | undefined;
  /** Of a body, without parameters. */
  readonly contentType?: readonly string[] | undefined;
  /** By name, wherever it stands: in the query, and at any depth of a JSON, form or multipart body. */
  readonly fields?: FieldsTest | undefined;
  readonly json?: Tests | undefined;
  readonly form?: Tests | undefined;
  readonly multipart?: MultipartTest | undefined;
  readonly graphql?: GraphqlTest | undefined;
  readonly mcp?: McpTest | undefined;
}

export const bodyConditions = ["fields", "json", "form", "multipart", "graphql", "mcp"] as const satisfies (keyof Conditions)[];

/** One guardrail rule: exactly one of `block` and `require`. */
export interface Rule {
  readonly name: string;
  /** The requests that it looks at; all of the target's where left out. */
  readonly when?: { readonly methods?: readonly string[] | undefined; readonly path?: string | undefined } | undefined;
  /** What is blocked: a request that meets the conditions, or `always`. */
  readonly block?: Conditions | "always" | undefined;
  /** What is asked for: a request that does not meet the conditions is blocked. */
  readonly require?: Conditions | undefined;
  /** For whoever is blocked. */
  readonly because: string;
}
