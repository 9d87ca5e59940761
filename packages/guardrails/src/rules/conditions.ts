import { fieldValues } from "../body/field-values.ts";
import { formBody } from "../body/form-body.ts";
import { graphqlOperations } from "../body/graphql-body.ts";
import { jsonBody } from "../body/json-body.ts";
import { hasBody, headerOf, type JudgedRequest } from "../body/judged-request.ts";
import { type McpMessage, mcpMessages } from "../body/mcp-body.ts";
import { multipartBody, textOf } from "../body/multipart-body.ts";
import { contentOf } from "../content.ts";
import { parseParameters } from "../parameters.ts";
import { Uninspectable } from "../uninspectable.ts";
import { untyped } from "../values/value.ts";
import type { Conditions, GraphqlTest, McpTest, MultipartTest } from "./rule.ts";
import { type Mode, namedTests, pointerTests, valuesCheck } from "./tests.ts";

/** Whether a request meets a condition. @throws Uninspectable where that cannot be known */
type Condition = (request: JudgedRequest) => boolean;

/** All conditions together; those that need no body come first, so that one that cannot be read matters only where it counts. */
export function conditionOf(conditions: Conditions, mode: Mode, ownHost: string): Condition {
  const { query, headers, contentType, fields, json, form, multipart, graphql, mcp } = conditions;
  const all: Condition[] = [];
  if (query !== undefined) {
    const tests = namedTests(query, mode, ownHost);
    all.push((request) => {
      if (/;|%3b/i.test(request.query) && Object.keys(query).some((name) => behindSemicolon(request.query, name)))
        throw new Uninspectable('has a ";" in its query, which parts parameters for some readers');
      return tests(parseParameters(request.query.slice(1)));
    });
  }
  if (headers !== undefined) {
    const tests = namedTests(lowerCase(headers), mode, ownHost);
    all.push((request) => tests(request.headers));
  }
  if (contentType !== undefined)
    all.push((request) =>
      hasBody(request) ? contentType.includes(contentOf(headerOf(request, "content-type")).type) : mode === "require",
    );
  if (fields !== undefined) {
    const check = valuesCheck({ ...fields.value, optional: true }, mode, ownHost);
    all.push((request) => check(fieldValues(request, fields.names)));
  }
  if (json !== undefined) {
    const tests = pointerTests(json, mode, ownHost);
    all.push((request) => {
      const body = jsonBody(request);
      return tests(body?.root, body?.text ?? "");
    });
  }
  if (form !== undefined) {
    const tests = namedTests(form, mode, ownHost);
    all.push((request) => tests(formBody(request) ?? []));
  }
  if (multipart !== undefined) all.push(multipartCondition(multipart, mode, ownHost));
  if (graphql !== undefined) all.push(mode === "block" ? graphqlBlocked(graphql) : graphqlRequired(graphql));
  if (mcp !== undefined) all.push(mode === "block" ? mcpBlocked(mcp, ownHost) : mcpRequired(mcp, ownHost));
  return (request) => all.every((condition) => condition(request));
}

const lowerCase = <T>(tests: Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(tests).map(([name, test]) => [name.toLowerCase(), test]));

function behindSemicolon(query: string, name: string): boolean {
  const split = parseParameters(query.slice(1).replaceAll(/;|%3b/gi, "&"));
  return split.filter(([other]) => other === name).length !== parseParameters(query.slice(1)).filter(([other]) => other === name).length;
}

function multipartCondition({ fields, files }: MultipartTest, mode: Mode, ownHost: string): Condition {
  const named = fields === undefined ? undefined : namedTests(fields, mode, ownHost);
  const fileName = files?.name === undefined ? undefined : valuesCheck(files.name, mode, ownHost);
  return (request) => {
    const parts = multipartBody(request) ?? [];
    const pairs = parts.filter(({ fileName: name }) => name === undefined).map((part): [string, string] => [part.name, textOf(part)]);
    // A name that stands once as a field and once as a file is two things to two readers.
    const names = new Set(pairs.map(([name]) => name));
    const attached = parts.filter((part) => part.fileName !== undefined);
    if (attached.some(({ name }) => names.has(name))) throw new Uninspectable("has a form with a field and a file of one name");
    if (named !== undefined && !named(pairs)) return false;
    if (files === undefined) return true;
    const passes = (file: (typeof parts)[number]) =>
      (files.types?.includes(file.type) ?? true) && (fileName?.([untyped(file.fileName ?? "")]) ?? true);
    return mode === "block"
      ? attached.some(passes)
      : attached.every(passes) && attached.length <= (files.maxCount ?? Number.POSITIVE_INFINITY);
  };
}

const graphqlBlocked =
  ({ types, operations, rootFields, deeperThan }: GraphqlTest): Condition =>
  (request) =>
    graphqlOperations(request).some(
      (operation) =>
        (types?.includes(operation.type) ?? true) &&
        (operations === undefined || (operation.name !== undefined && operations.includes(operation.name))) &&
        (rootFields === undefined || operation.rootFields.some((field) => rootFields.includes(field))) &&
        (deeperThan === undefined || operation.depth > deeperThan),
    );

const graphqlRequired =
  ({ types, operations, rootFields, maxDepth }: GraphqlTest): Condition =>
  (request) =>
    graphqlOperations(request).every(
      (operation) =>
        (types?.includes(operation.type) ?? true) &&
        (operations === undefined || (operation.name !== undefined && operations.includes(operation.name))) &&
        (rootFields === undefined || operation.rootFields.every((field) => rootFields.includes(field))) &&
        (maxDepth === undefined || operation.depth <= maxDepth),
    );

function mcpBlocked({ methods = ["tools/call"], tools, arguments: tests }: McpTest, ownHost: string): Condition {
  const passes = tests === undefined ? undefined : pointerTests(tests, "block", ownHost);
  return (request) => {
    const { messages, text } = mcpMessages(request);
    return messages.some(
      (message) =>
        message.method !== undefined &&
        methods.includes(message.method) &&
        (tools === undefined || (message.tool !== undefined && tools.includes(message.tool))) &&
        (passes === undefined || (message.method === "tools/call" && passes(message.arguments, text))),
    );
  };
}

function mcpRequired({ methods, tools, arguments: tests }: McpTest, ownHost: string): Condition {
  const passes = tests === undefined ? undefined : pointerTests(tests, "require", ownHost);
  return (request) => {
    const { messages, text } = mcpMessages(request);
    const allowed = (message: McpMessage) => {
      // A response answers what the server asked, and calls nothing.
      if (message.method === undefined) return true;
      if (methods !== undefined && !methods.includes(message.method)) return false;
      if (message.method !== "tools/call") return true;
      return (tools === undefined || tools.includes(message.tool ?? "")) && (passes?.(message.arguments, text) ?? true);
    };
    return messages.every(allowed);
  };
}
