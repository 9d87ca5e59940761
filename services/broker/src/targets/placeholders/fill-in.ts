import { createHash } from "node:crypto";
import { memberName, strictJson, type ValueNode } from "@sallyport/guardrails";
import { placeholderFor } from "@sallyport/masking";
import { type Fields, fieldOf, fieldUtf8, unusable } from "../inject/field-text.ts";
import { percentEncoded } from "../inject/percent-encoded.ts";
import type { Operation } from "../operation.ts";
import { holdsPlaceholder, unescaped } from "./find.ts";

const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The request with each placeholder replaced by its value, at the places that the target's configuration allows, escaped as the
 * place asks. That none stands elsewhere was looked at before (`misplaced`).
 *
 * @throws Refusal STORE_UNAVAILABLE where the secret has no such field, or its value cannot stand there: nothing was sent
 */
export function fillIn(operation: Operation, fields: Fields): Operation {
  const { config } = operation;
  if (config?.placeholders === undefined) return operation;
  const own = new RegExp(`${escaped(placeholderFor(config.secret, "").slice(0, -1))}([A-Za-z0-9._-]{1,64})\\]`, "g");
  const headers = operation.headers.map(([name, value]): [string, string] => {
    if (!config.placeholders?.some(({ header }) => header?.toLowerCase() === name)) return [name, value];
    return [
      name,
      value.replaceAll(own, (_, field) => {
        const text = fieldOf(fields, field).toString("latin1");
        if (!headerValue.test(text) || text.trim() !== text || text === "")
          throw unusable(field, "is empty, or holds what this header cannot carry");
        return text;
      }),
    ];
  });
  const query = inQuery(operation, own, fields);
  const body = inJson(operation, own, fields);
  const bodyHash = body === operation.body ? operation.bodyHash : createHash("sha256").update(body).digest("hex");
  return {
    ...operation,
    headers,
    query,
    sent: `${operation.sent.slice(0, operation.sent.length - operation.query.length)}${query}`,
    body,
    bodyHash,
  };
}

function inQuery({ query, config }: Operation, own: RegExp, fields: Fields): string {
  // Elsewhere the query may hold what is not UTF-8, which is nobody's business here.
  if (!holdsPlaceholder(unescaped(query)) || !config?.placeholders?.some(({ query: name }) => name !== undefined)) return query;
  const pairs = query
    .slice(1)
    .split("&")
    .map((pair) => {
      const at = pair.indexOf("=");
      const name = decoded(pair.slice(0, at));
      const value = decoded(pair.slice(at + 1));
      if (at < 0 || !config.placeholders?.some((place) => place.query === name) || value.search(own) < 0) return pair;
      const pieces = value.split(new RegExp(`(${own.source})`.replace(/\(\[A-Za/, "(?:[A-Za"), "g"));
      const filled = pieces.map((piece) => {
        const field = new RegExp(`^${own.source}$`).exec(piece)?.[1];
        return percentEncoded(field === undefined ? Buffer.from(piece) : fieldOf(fields, field));
      });
      return `${pair.slice(0, at + 1)}${filled.join("")}`;
    });
  return query === "" ? "" : `?${pairs.join("&")}`;
}

function inJson({ body, config }: Operation, own: RegExp, fields: Fields): Uint8Array {
  const pointers = config?.placeholders?.flatMap(({ body: pointer }) => pointer ?? []) ?? [];
  if (pointers.length === 0 || body.length === 0 || !holdsPlaceholder(unescaped(Buffer.from(body).toString("utf8")))) return body;
  const { text, root } = strictJson(body);
  const edits = pointers.flatMap((pointer) => {
    const node = at(root, pointer.split("/").slice(1));
    if (node?.type !== "String" || node.value.search(own) < 0) return [];
    const value = node.value.replaceAll(own, (_, field) => fieldUtf8(fields, field, "a JSON body"));
    return [{ from: node.loc.start.offset, to: node.loc.end.offset, json: JSON.stringify(value) }];
  });
  let filled = text;
  for (const { from, to, json } of edits.toSorted((one, other) => other.from - one.from))
    filled = filled.slice(0, from) + json + filled.slice(to);
  return Buffer.from(filled);
}

function at(node: ValueNode, steps: readonly string[]): ValueNode | undefined {
  const [step, ...rest] = steps;
  if (step === undefined) return node;
  const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
  if (node.type === "Array") {
    const element = node.elements[Number(name)];
    return element === undefined ? undefined : at(element.value, rest);
  }
  if (node.type !== "Object") return undefined;
  const member = node.members.find((one) => memberName(one) === name);
  return member === undefined ? undefined : at(member.value, rest);
}

const decoded = (text: string) => decodeURIComponent(text.replaceAll("+", " "));
const escaped = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|/#-]/g, "\\$&");
