import assert from "node:assert/strict";
import { post, told } from "./request.fixture.ts";
import type { Rule } from "./rule.ts";

const because = "It is so.";
const ask = (query: string, more: object = {}) => post(JSON.stringify({ query, ...more }));

describe("a rule about GraphQL", () => {
  const reads: Partial<Rule> = { require: { graphql: { types: ["query"], rootFields: ["orders", "__typename"], maxDepth: 4 } } };

  it("requires the operations, root fields and depth that it names", () => {
    for (const query of [
      "{ orders { id } }",
      "query A { mine: orders(first: 1) { id lines { sku } } __typename }",
      "query A { ...F } fragment F on Query { orders { ...G } } fragment G on Order { id }",
      "query A { ... on Query { orders { id } } }",
      'query A { orders(note: "mutation { deleteOrder }") { id } } # mutation',
    ])
      assert.equal(told(reads, ask(query)), "allowed", query);
    for (const query of [
      "mutation { deleteOrder(id: 1) { id } }",
      "query A { orders { id } } mutation B { deleteOrder { id } }",
      "{ orders: deleteOrders { id } }",
      "{ __schema { types { name } } }",
      "query A { ...F } fragment F on Query { secrets { id } }",
      "query A { ... on Query { secrets { id } } }",
      "{ orders { a { b { c { d } } } } }",
      "{ orders { ...F } } fragment F on O { a { b { c { d } } } }",
      "subscription { orders { id } }",
    ])
      assert.equal(told(reads, ask(query, { operationName: "A" })), because, query);
  });

  it("blocks what it names, in whichever operation, behind whatever alias", () => {
    const rule: Partial<Rule> = { block: { graphql: { types: ["mutation"], rootFields: ["createWebhook", "addDeployKey"] } } };
    for (const query of [
      'mutation { createWebhook(url: "x") { id } }',
      "mutation { ok: createWebhook { id } }",
      "query A { orders { id } } mutation B { other { id } x: addDeployKey { id } }",
      "mutation { ...F } fragment F on Mutation { createWebhook { id } }",
    ])
      assert.equal(told(rule, ask(query)), because, query);
    assert.equal(told(rule, ask("mutation { createOrder { id } }")), "allowed");
    assert.equal(told(rule, ask("query { createWebhook { id } }")), "allowed");
    const deep: Partial<Rule> = { block: { graphql: { deeperThan: 2 } } };
    assert.equal(told(deep, ask("{ a { b { c } } }")), because);
    assert.equal(told(deep, ask("{ a { b } }")), "allowed");
    const named: Partial<Rule> = { require: { graphql: { operations: ["Orders"] } } };
    assert.equal(told(named, ask("query Orders { orders { id } }")), "allowed");
    for (const query of ["{ orders { id } }", "query Other { orders { id } }"]) assert.equal(told(named, ask(query)), because);
  });

  it("reads a batch's every document, a plain document, and the query's parameter", () => {
    const batch = (...queries: string[]) => post(JSON.stringify(queries.map((query) => ({ query }))));
    assert.equal(told(reads, batch("{ orders { id } }", "{ orders { id } }")), "allowed");
    assert.equal(told(reads, batch("{ orders { id } }", "mutation { x }")), because);
    assert.equal(told(reads, post("{ orders { id } }", "application/graphql")), "allowed");
    assert.equal(told(reads, post("mutation { x }", "application/graphql")), because);
    assert.equal(told(reads, { path: `/graphql?query=${encodeURIComponent("{ orders { id } }")}` }), "allowed");
    assert.equal(told(reads, { path: `/graphql?query=${encodeURIComponent("mutation { x }")}` }), because);
  });

  it("blocks what it cannot read: no document, two, a broken or endless one, look-alikes of its name", () => {
    for (const sketch of [
      ask(undefined as never, { extensions: { persistedQuery: { version: 1, sha256Hash: "x" } } }),
      { path: "/graphql?extensions=%7B%22persistedQuery%22%3A1%7D" },
      { ...ask("{ orders { id } }"), path: `/graphql?query=${encodeURIComponent("mutation { x }")}` },
      { path: "/graphql?query=%7Borders%7D&query=mutation%7Bx%7D" },
      { path: "/graphql?Query=mutation%7Bx%7D" },
      ask("{ orders { id "),
      ask(""),
      ask("type X { a: Int }"),
      ask("fragment F on Query { orders { id } }"),
      ask("{ ...F } fragment F on Query { ...F }"),
      ask("{ ...F }"),
      ask("{ ...F } fragment F on Q { orders { id } } fragment F on Q { secrets { id } }"),
      ask(`{ ${"a ".repeat(20_000)} }`),
      post('{"query":"{ orders { id } }","query":"mutation { x }"}'),
      post('{"query":"{ orders { id } }","Query":"mutation { x }"}'),
      post('{"query":["{ orders { id } }"]}'),
      post("query=mutation", "application/x-www-form-urlencoded"),
    ])
      assert.match(told(reads, sketch), /^it must be looked at/, JSON.stringify(sketch).slice(0, 200));
    const bomb = Array.from({ length: 25 }, (_, at) => `fragment F${at} on Q { ...F${at + 1} ...F${at + 1} }`).join(" ");
    const began = performance.now();
    assert.match(told(reads, ask(`{ ...F0 } ${bomb} fragment F25 on Q { orders { id } }`)), /unfolds too far/);
    assert.ok(performance.now() - began < 2000);
  });
});
