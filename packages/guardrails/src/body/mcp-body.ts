import { refuseLookAlikes, select } from "../json/pointer.ts";
import { memberName, type ValueNode } from "../json/strict-json.ts";
import { Uninspectable } from "../uninspectable.ts";
import { jsonBody } from "./json-body.ts";
import type { JudgedRequest } from "./judged-request.ts";

/** One JSON-RPC 2.0 message of the Model Context Protocol. */
export interface McpMessage {
  /** Undefined for a response. */
  readonly method: string | undefined;
  /** Of a `tools/call`. */
  readonly tool: string | undefined;
  /** Of a `tools/call`, where it has any. */
  readonly arguments: ValueNode | undefined;
}

/** The messages of a request, a batch's each; none where it has no body (a GET for the stream, a DELETE of the session). @throws Uninspectable */
export function mcpMessages(request: JudgedRequest): { messages: McpMessage[]; text: string } {
  const body = jsonBody(request);
  if (body === undefined) return { messages: [], text: "" };
  const { root, text } = body;
  const all = root.type === "Array" ? root.elements.map(({ value }) => value) : [root];
  if (all.length === 0) throw notMcp();
  return { messages: all.map(messageOf), text };
}

function messageOf(node: ValueNode): McpMessage {
  if (node.type !== "Object") throw notMcp();
  for (const name of ["jsonrpc", "method", "params", "result", "error", "id"]) refuseLookAlikes(node.members.map(memberName), name);
  const [version] = select(node, ["jsonrpc"]);
  if (version?.type !== "String" || version.value !== "2.0") throw notMcp();
  const [method] = select(node, ["method"]);
  const isResponse = select(node, ["result"]).length + select(node, ["error"]).length === 1;
  if (method === undefined && isResponse) return { method: undefined, tool: undefined, arguments: undefined };
  if (method?.type !== "String" || isResponse) throw notMcp();
  if (method.value !== "tools/call") return { method: method.value, tool: undefined, arguments: undefined };
  const [tool] = select(node, ["params", "name"]);
  if (tool?.type !== "String") throw notMcp();
  return { method: method.value, tool: tool.value, arguments: select(node, ["params", "arguments"])[0] };
}

const notMcp = () => new Uninspectable("has a body that is no JSON-RPC 2.0 message of MCP");
