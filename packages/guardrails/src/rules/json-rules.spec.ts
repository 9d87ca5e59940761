import assert from "node:assert/strict";
import fc from "fast-check";
import { post, told } from "./request.fixture.ts";
import type { Rule } from "./rule.ts";

const because = "It is so.";
const json = (value: unknown) => post(typeof value === "string" ? value : JSON.stringify(value));

describe("a rule about a JSON body", () => {
  it("blocks by what stands at a pointer, in arrays too, however it is written", () => {
    const rule: Partial<Rule> = { block: { json: { "/items/*/kind": { equals: "webhook" } } } };
    assert.equal(told(rule, json({ items: [{ kind: "a" }, { kind: "webhook" }] })), because);
    assert.equal(told(rule, json('{"items":[{"k\\u0069nd":"w\\u0065bhook"}]}')), because);
    assert.equal(told(rule, json({ items: [{ kind: "a" }], kind: "webhook", other: [{ kind: "webhook" }] })), "allowed");
    assert.equal(told(rule, json({ items: "webhook" })), "allowed");
  });

  it("POLI-09: blocks a body that two readers understand differently, where a rule looks at it", () => {
    const rule: Partial<Rule> = { require: { json: { "/host": { equals: "a.test" } } } };
    for (const body of [
      '{"host":"a.test","host":"evil.test"}',
      '{"host":"a.test","ho\\u0073t":"evil.test"}',
      '{"host":"a.test","nested":{"x":1,"x":2}}',
      '{"host":"a.test","Host":"evil.test"}',
      '{"Host":"a.test"}',
      '{"host":"a.test","h\\uff4fst":"evil.test"}',
      '{"host":"a.test"} {"host":"evil.test"}',
      '{"host":"a.test",/* */"x":1}',
      "{host:'a.test'}",
    ])
      assert.match(told(rule, json(body)), /^it must be looked at, and the request/, body);
    assert.equal(told(rule, json('{"host":"a.test","port":1,"nested":{"host":"evil.test"}}')), "allowed");
    assert.equal(told(rule, json('{"host":"evil.test"}')), because);
    assert.equal(told(rule, json("{}")), because, "absent is not yes");
    assert.equal(told({ require: { json: { "/host": { equals: "a.test", optional: true } } } }, json("{}")), "allowed");
  });

  it("POLI-09: finds a name said twice at any place of any body", () => {
    const rule: Partial<Rule> = { block: { json: { "/zzz": { present: true } } } };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.string({ minLength: 1 }), (value, name) => {
        const inner = `{${JSON.stringify(name)}:1,"\u0001x":${JSON.stringify(value)},${JSON.stringify(name)}:2}`.replace("\u0001", "");
        const twice = told(rule, json(`{"deep":[${inner}]}`));
        const once = told(rule, json(`{"deep":[${JSON.stringify({ [name]: value })}]}`));
        return /twice/.test(twice) && once === "allowed";
      }),
      { numRuns: 200 },
    );
  });

  it("compares numbers as numbers, refuses those that become others, and lets no text pass for one it must be", () => {
    const most: Partial<Rule> = { require: { json: { "/cents": { max: 5000, min: 1 } } } };
    assert.equal(told(most, json('{"cents":5000}')), "allowed");
    assert.equal(told(most, json('{"cents":5e3}')), "allowed");
    for (const body of ['{"cents":5001}', '{"cents":"1"}', '{"cents":0}', '{"cents":[1]}', '{"cents":null}', '{"cents":true}'])
      assert.equal(told(most, json(body)), because, body);
    for (const body of ['{"cents":9007199254740993}', `{"cents":0.${"1".repeat(40)}}`, '{"cents":1e400}'])
      assert.match(told(most, json(body)), /not every reader/, body);
    const above: Partial<Rule> = { block: { json: { "/cents": { min: 5001 } } } };
    for (const body of ['{"cents":5001}', '{"cents":"5001"}', '{"cents":"0x2710"}']) assert.equal(told(above, json(body)), because, body);
    assert.equal(told(above, json('{"cents":"many"}')), "allowed");
    assert.equal(told(above, json('{"other":9007199254740993}')), "allowed", "it does not look there");
  });

  it("blocks the words that spell a value, and requires the value itself", () => {
    const admin: Partial<Rule> = { block: { json: { "/admin": { equals: true } } } };
    for (const body of ['{"admin":true}', '{"admin":"true"}']) assert.equal(told(admin, json(body)), because, body);
    assert.equal(told(admin, json('{"admin":false}')), "allowed");
    const plain: Partial<Rule> = { require: { json: { "/admin": { equals: false } } } };
    assert.equal(told(plain, json('{"admin":"false"}')), because);
    assert.equal(told(plain, json('{"admin":false}')), "allowed");
  });

  it("takes patterns that match the whole, in linear time", () => {
    const rule: Partial<Rule> = { require: { json: { "/ref": { matches: "refs/heads/[a-z0-9-]+" } } } };
    assert.equal(told(rule, json({ ref: "refs/heads/fix-1" })), "allowed");
    for (const ref of ["refs/heads/main x", "xrefs/heads/a", "refs/heads/a\nrefs/tags/b", "refs/heads/"])
      assert.equal(told(rule, json({ ref })), because, ref);
    const slow: Partial<Rule> = { require: { json: { "/a": { matches: "(a+)+b" } } } };
    const began = performance.now();
    assert.equal(told(slow, json({ a: "a".repeat(50_000) })), because);
    assert.ok(performance.now() - began < 2000);
  });

  it("knows where a URL leads, however it is written", () => {
    const rule: Partial<Rule> = { require: { json: { "/url": { hosts: ["self", "*.hooks.example.org"] } } } };
    for (const url of ["https://api.example.com/x", "http://API.example.com.:8080/", "/relative?x=1", "https://a.hooks.example.org/"])
      assert.equal(told(rule, json({ url })), "allowed", url);
    for (const url of [
      "https://evil.example/",
      "https://api.example.com.evil.example/",
      "https://api.example.com@evil.example/",
      "https://evil.example#@api.example.com/",
      "https://evil.example\\@api.example.com/",
      "//evil.example/x",
      "/\\evil.example/x",
      "\thttps://evil.example",
      "ht\ntps://evil.example",
      "https:evil.example",
      "https:/evil.example",
      "ftp://api.example.com/",
      "javascript:alert(1)",
      "https://hooks.example.org/",
      "https://xhooks.example.org/",
      "https://127.0.0.1/",
      "evil.example/x",
      "word",
      "",
      ["https://api.example.com/"],
    ])
      assert.equal(told(rule, json({ url })), because, String(url));
    const block: Partial<Rule> = { block: { json: { "/url": { otherHosts: ["self"] } } } };
    for (const url of [
      "https://evil.example/",
      "//evil.example",
      "/\\evil.example",
      "evil.example:80",
      "https:evil.example",
      "javascript:alert(1)",
      { at: 1 },
    ])
      assert.equal(told(block, json({ url })), because, String(url));
    for (const url of ["https://api.example.com/x", "/local/path", "#top", "myFunction", "", null, 5])
      assert.equal(told(block, json({ url })), "allowed", String(url));
  });

  it("closes an object, and says what is there and what is not", () => {
    const closed: Partial<Rule> = { require: { json: { "": { keys: ["order", "cents"] } } } };
    assert.equal(told(closed, json({ order: 1 })), "allowed");
    for (const body of [{ order: 1, callback: "x" }, [1], "x"]) assert.equal(told(closed, json(body === "x" ? '"x"' : body)), because);
    const absent: Partial<Rule> = { require: { json: { "/force": { present: false } } } };
    assert.equal(told(absent, json({})), "allowed");
    assert.equal(told(absent, json({ force: null })), because);
    const typed: Partial<Rule> = { require: { json: { "/note": { type: "string", maxLength: 3 } } } };
    assert.equal(told(typed, json({ note: "é𝄞a" })), "allowed");
    assert.equal(told(typed, json({ note: "abcd" })), because);
    assert.equal(told({ require: { json: { "/a~1b/~0c": { oneOf: [1, null] } } } }, json({ "a/b": { "~c": null } })), "allowed");
  });
});
