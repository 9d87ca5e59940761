import assert from "node:assert/strict";
import { post, told } from "./request.fixture.ts";
import type { Rule } from "./rule.ts";

const because = "It is so.";
const rpc = (method: string, params?: object, more: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params, ...more });
const call = (name: string, args?: object) => rpc("tools/call", { name, arguments: args });
const send = (message: unknown) => post(JSON.stringify(message));

describe("a rule about MCP tool calls", () => {
  const only: Partial<Rule> = {
    require: { mcp: { tools: ["search", "read_file"], arguments: { "/path": { matches: "/workspace/[a-z/.]+", optional: true } } } },
  };

  it("requires the tools and arguments that it names, and leaves the protocol's other messages alone", () => {
    for (const message of [
      call("search", { query: "x" }),
      call("read_file", { path: "/workspace/a.txt" }),
      call("search"),
      rpc("initialize", { protocolVersion: "2025-06-18" }),
      rpc("tools/list"),
      { jsonrpc: "2.0", method: "notifications/initialized" },
      { jsonrpc: "2.0", id: 3, result: {} },
      [call("search"), rpc("ping")],
    ])
      assert.equal(told(only, send(message)), "allowed", JSON.stringify(message));
    assert.equal(told(only, { method: "GET" }), "allowed", "the stream of the server's messages");
    for (const message of [
      call("delete_file", { path: "/workspace/a" }),
      call("read_file", { path: "/etc/passwd" }),
      call("Search"),
      [call("search"), call("delete_file")],
    ])
      assert.equal(told(only, send(message)), because, JSON.stringify(message));
    const methods: Partial<Rule> = { require: { mcp: { methods: ["initialize", "tools/list"] } } };
    assert.equal(told(methods, send(rpc("tools/list"))), "allowed");
    assert.equal(told(methods, send(call("search"))), because);
  });

  it("blocks the tool, with the arguments, that it names, in a batch too", () => {
    const rule: Partial<Rule> = { block: { mcp: { tools: ["http_request"], arguments: { "/url": { otherHosts: ["self"] } } } } };
    for (const message of [
      call("http_request", { url: "https://evil.example/" }),
      [rpc("ping"), call("http_request", { url: "//evil.example/" })],
    ])
      assert.equal(told(rule, send(message)), because, JSON.stringify(message));
    for (const message of [
      call("http_request", { url: "https://api.example.com/" }),
      call("other", { url: "https://evil.example/" }),
      rpc("tools/list"),
    ])
      assert.equal(told(rule, send(message)), "allowed", JSON.stringify(message));
    const resources: Partial<Rule> = { block: { mcp: { methods: ["resources/read"] } } };
    assert.equal(told(resources, send(rpc("resources/read", { uri: "file:///x" }))), because);
    assert.equal(told(resources, send(call("search"))), "allowed");
  });

  it("blocks what is no message, or is one in two ways", () => {
    for (const body of [
      "{}",
      "[]",
      "[1]",
      '{"jsonrpc":"1.0","method":"tools/call","params":{"name":"search"}}',
      '{"jsonrpc":"2.0","method":"tools/call"}',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":["search"]}}',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"search","name":"delete_file"}}',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"search","Name":"delete_file"}}',
      '{"jsonrpc":"2.0","method":"tools/list","Method":"tools/call","params":{"name":"delete_file"}}',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"search"},"result":{}}',
      '{"jsonrpc":"2.0","result":{},"error":{}}',
      '{"jsonrpc":"2.0","Method":"tools/call","result":{}}',
    ])
      assert.match(told(only, post(body)), /^it must be looked at/, body);
    assert.match(told(only, post("streamed")), /comes in pieces/);
  });
});
