import { create, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import fc from "fast-check";

/** Text that readers have stumbled over: names, paths, controls, encodings, nothing, too much. */
const texts = [
  ...[
    "",
    "prod/orders/read",
    "prod/*",
    "*",
    "/",
    "..",
    "prod/../prod/orders/api",
    "prod/orders/read\0",
    "prod/orders/read\n",
    "GET",
    "get",
  ],
  ...["\u202eread", "e\u0301", "\u200b", "__proto__", "constructor", "toString", "%2e%2e", "@evil.example", "//evil.example", "\r\nx: y"],
  ...[
    "orders-read",
    "orders-api",
    "/v1/orders/1",
    "{id}",
    "9".repeat(400),
    "x".repeat(70_000),
    "corp/alice",
    "release",
    "💥",
    "-1",
    "null",
  ],
];

const numbers = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
const bigs = [0n, 1n, 2n ** 63n - 1n];

/** A message of a type with anything at all in its fields, some left out. Depth and lists are bounded. */
export function hostileMessage(schema: DescMessage, depth = 3): fc.Arbitrary<Message> {
  const fields = schema.fields.map((field) => fieldOf(field, depth).map((value) => [field, value] as const));
  return fc.tuple(...fields).map((given) => {
    const init: Record<string, unknown> = {};
    for (const [field, value] of given) {
      if (value === undefined) continue;
      if (field.oneof === undefined) init[field.localName] = value;
      else init[field.oneof.localName] = { case: field.localName, value };
    }
    return create(schema, init as never);
  });
}

function fieldOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (depth === 0 && field.fieldKind !== "scalar") return fc.constant(undefined);
  switch (field.fieldKind) {
    case "scalar":
      return fc.option(scalarOf(field.scalar), { nil: undefined });
    case "enum":
      return fc.option(fc.constantFrom(...field.enum.values.map(({ number }) => number), 99), { nil: undefined });
    case "message":
      return fc.option(hostileMessage(field.message, depth - 1), { nil: undefined });
    case "list":
      return fc.array(elementOf(field, depth), { maxLength: 3 });
    case "map":
      return fc.constant(undefined);
  }
}

function elementOf(field: DescField & { fieldKind: "list" }, depth: number): fc.Arbitrary<unknown> {
  switch (field.listKind) {
    case "scalar":
      return scalarOf(field.scalar);
    case "enum":
      return fc.constantFrom(...field.enum.values.map(({ number }) => number), 99);
    case "message":
      return hostileMessage(field.message, depth - 1);
  }
}

function scalarOf(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return fc.constantFrom(...texts);
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 64 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return fc.double();
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.constantFrom(0, 1, 2 ** 32 - 1);
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return fc.constantFrom(...bigs);
    default:
      return fc.constantFrom(...numbers);
  }
}
