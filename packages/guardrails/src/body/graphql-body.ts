import { type DocumentNode, Kind, parse, type SelectionSetNode } from "graphql/language";
import { contentOf } from "../content.ts";
import { select } from "../json/pointer.ts";
import { utf8, type ValueNode } from "../json/strict-json.ts";
import { parameter, parseParameters } from "../parameters.ts";
import { Uninspectable } from "../uninspectable.ts";
import { jsonBody } from "./json-body.ts";
import { bodyOf, hasBody, headerOf, type JudgedRequest } from "./judged-request.ts";

/** One operation of a GraphQL document; any of a document's could be the one that runs. */
export interface GraphqlOperation {
  readonly type: "query" | "mutation" | "subscription";
  readonly name: string | undefined;
  /** Fields at the top, through fragments, without aliases. */
  readonly rootFields: readonly string[];
  /** Of nested selections; 1 for plain root fields. */
  readonly depth: number;
}

const maxTokens = 10_000;
const maxDepth = 100;

/**
 * The operations that a request asks for, by GraphQL over HTTP: a JSON body or a batch of them, `application/graphql`, or the query's
 * parameter. None where it asks for nothing.
 *
 * @throws Uninspectable where there is no document to read, as with persisted queries
 */
export function graphqlOperations(request: JudgedRequest): GraphqlOperation[] {
  const inUrl = parameter(parseParameters(request.query.slice(1)), "query");
  if (!hasBody(request)) {
    if (inUrl !== undefined) return operationsOf(inUrl);
    if (parameter(parseParameters(request.query.slice(1)), "extensions") !== undefined) throw withoutDocument();
    return [];
  }
  if (inUrl !== undefined) throw new Uninspectable("has a GraphQL document in its query and in its body");
  if (contentOf(headerOf(request, "content-type")).type === "application/graphql") return operationsOf(utf8(bodyOf(request)));
  const { root } = jsonBody(request) as { root: ValueNode };
  const requests = root.type === "Array" ? root.elements.map(({ value }) => value) : [root];
  return requests.flatMap((one) => {
    const [document, ...more] = select(one, ["query"]);
    if (document?.type !== "String" || more.length > 0) throw withoutDocument();
    return operationsOf(document.value);
  });
}

function operationsOf(text: string): GraphqlOperation[] {
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens, noLocation: true });
  } catch {
    throw new Uninspectable("has a GraphQL document that cannot be read");
  }
  const fragments = new Map<string, SelectionSetNode>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
    if (fragments.has(definition.name.value)) throw new Uninspectable("has a GraphQL document with two fragments of one name");
    fragments.set(definition.name.value, definition.selectionSet);
  }
  const operations = document.definitions.flatMap((definition) => {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) return [];
    if (definition.kind !== Kind.OPERATION_DEFINITION) throw new Uninspectable("has a GraphQL document with more than operations");
    const name = definition.name?.value;
    return [{ type: definition.operation, name, ...shapeOf(definition.selectionSet, fragments) }];
  });
  if (operations.length === 0) throw withoutDocument();
  return operations;
}

function shapeOf(set: SelectionSetNode, fragments: ReadonlyMap<string, SelectionSetNode>): Pick<GraphqlOperation, "rootFields" | "depth"> {
  const rootFields = new Set<string>();
  let deepest = 0;
  let visited = 0;
  const visit = (selections: SelectionSetNode, depth: number, within: readonly string[]): void => {
    // Fragments that spread fragments could be followed for ever, or exponentially often.
    if (depth > maxDepth || ++visited > maxTokens) throw new Uninspectable("has a GraphQL document that unfolds too far");
    deepest = Math.max(deepest, depth);
    for (const selection of selections.selections) {
      if (selection.kind === Kind.FIELD) {
        if (depth === 1) rootFields.add(selection.name.value);
        if (selection.selectionSet !== undefined) visit(selection.selectionSet, depth + 1, within);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet, depth, within);
      else {
        const name = selection.name.value;
        const fragment = fragments.get(name);
        if (fragment === undefined || within.includes(name)) throw new Uninspectable("has a GraphQL document whose fragments do not fit");
        visit(fragment, depth, [...within, name]);
      }
    }
  };
  visit(set, 1, []);
  return { rootFields: [...rootFields], depth: deepest };
}

const withoutDocument = () => new Uninspectable("has no GraphQL document that could be read (a persisted query has none)");
