import assert from "node:assert/strict";
import { judge, post, told } from "./request.fixture.ts";
import type { Rule } from "./rule.ts";

const because = "It is so.";

describe("a guardrail rule", () => {
  it("names itself and says why", () => {
    const verdict = judge(
      { name: "no-hooks", when: { path: "/hooks" }, block: "always", because: "Hooks send things away" },
      { path: "/hooks" },
    );
    assert.deepEqual(verdict, { kind: "blocked", rule: "no-hooks", sentence: "Hooks send things away." });
  });

  it("looks at the requests that it is for, and at those that some server takes for them", () => {
    const rule = { when: { methods: ["POST", "PUT"], path: "/repos/{owner}/{repo}/hooks" }, block: "always" } as const;
    for (const path of [
      "/repos/a/b/hooks",
      "/repos/a/b/hooks/",
      "/REPOS/a/b/Hooks",
      "/repos/a/b/hooks.json",
      "/repos/a/b/hooks;v=1",
      "/repos;x/a/b/hooks",
      "/repos/a%2Fb/hooks",
      "/repos/a/b/%68ooks",
      "/repos/a/b/ho\u{2112}oks".replace("\u{2112}", ""),
      "/repos/a/b/%EF%BD%88ooks",
    ])
      assert.equal(told(rule, { method: "POST", path }), because, path);
    for (const path of ["/repos/a/hooks", "/repos/a/b/hooks/1", "/repos/a/b/webhooks", "/repos/a/b/hook", "/repos/a/b/hooks-x"])
      assert.equal(told(rule, { method: "POST", path }), "allowed", path);
    assert.equal(told(rule, { method: "GET", path: "/repos/a/b/hooks" }), "allowed");
    const below = { when: { path: "/admin/{rest+}" }, block: "always" } as const;
    for (const path of ["/admin/a", "/admin/a/b", "/Admin/a%2Fb"]) assert.equal(told(below, { path }), because);
    assert.equal(told(below, { path: "/administrator/a" }), "allowed");
  });

  it("PROX-05: judges the one value of a parameter or header that it looks at, and blocks what is there twice or nearly", () => {
    const rule: Partial<Rule> = { require: { query: { tenant: { equals: "mine" } } } };
    assert.equal(told(rule, { path: "/a?tenant=mine&id=1&id=2" }), "allowed", "what it does not look at may repeat");
    assert.equal(told(rule, { path: "/a?x=1&tenant=m%69ne" }), "allowed");
    for (const query of ["tenant=other", "", "x=1", "tenant="]) assert.equal(told(rule, { path: `/a?${query}` }), because, query);
    for (const query of [
      "tenant=mine&tenant=other",
      "tenant=mine&Tenant=other",
      "tenant=mine&tenant%5B%5D=other",
      "tenant=mine&t%65nant=other",
      "tenant=mine&+tenant=other",
      "tenant=mine;tenant=other",
      "tenant=mine&x=1%3Btenant=other",
      "TENANT=mine",
      "tenant=%FF",
    ])
      assert.match(told(rule, { path: `/a?${query}` }), /it must be looked at, and the request/, query);
    const header: Partial<Rule> = { block: { headers: { "X-Tenant": { equals: "other" } } } };
    assert.equal(told(header, { headers: { "x-tenant": "other" } }), because);
    assert.equal(told(header, { headers: { "x-tenant": "mine" } }), "allowed");
    assert.equal(told(header, {}), "allowed");
    assert.match(told(header, { headers: { "x-tenant": "mine", x_tenant: "other" } }), /more than once/);
  });

  it("of two that block, names the first; all of them are looked at", () => {
    const rules: Rule[] = [
      { name: "a", require: { query: { a: { equals: 1 } } }, because: "a." },
      { name: "b", block: { query: { b: { present: true } } }, because: "b." },
    ];
    assert.equal(told(rules, { path: "/x?a=1" }), "allowed");
    assert.equal(told(rules, { path: "/x?a=1&b" }), "b.");
    assert.equal(told(rules, { path: "/x?b=1" }), "a.");
  });

  it("blocks everything where this version does not know all that it asks for", () => {
    for (const rule of [
      { block: { xml: { "/a": { equals: 1 } } } },
      { block: { json: { "/a": { soundsLike: "x" } } } },
      { require: { graphql: { cost: 5 } } },
      { when: { host: "x" }, block: "always" },
      { block: "sometimes" },
      { block: "always", require: { query: { a: { equals: 1 } } } },
      {},
    ])
      assert.match(told(rule as never, { path: "/other" }), /does not know all/, JSON.stringify(rule));
  });

  it("blocks a body that it must look at and cannot: streamed, packed, too long, of another kind, charset or encoding", () => {
    const rule: Partial<Rule> = { block: { json: { "/a": { equals: 1 } } } };
    for (const [sketch, sentence] of [
      [post("streamed"), /comes in pieces/],
      [post("{}", "application/json", { headers: { "content-type": "application/json", "content-encoding": "gzip" } }), /compressed/],
      [post(`"${"x".repeat(1024 * 1024)}"`), /more than 1048576 bytes/],
      [post("{}", "text/plain"), /does not say it is JSON/],
      [post("{}", "application/json; charset=utf-16"), /charset/],
      [post("{}", "application/json; charset=utf-8; charset=utf-7"), /one parameter twice/],
      [post("{}", "application/json, text/plain"), /cannot be read/],
      [post(Buffer.from([0x7b, 0xff, 0x7d])), /not UTF-8/],
      [post("\u{feff}{}"), /byte order mark/],
      [post("{"), /no valid JSON/],
      [{ method: "POST", body: "{}" }, /no content type/],
      [post(`${"[".repeat(70)}${"]".repeat(70)}`), /deeper than 64/],
    ] as const)
      assert.match(told(rule, sketch), sentence);
    assert.equal(told(rule, post('{"b":1}', "Application/JSON; charset=UTF-8")), "allowed");
    assert.equal(told(rule, post('{"b":1}', "application/vnd.api+json")), "allowed");
    assert.equal(told(rule, { method: "DELETE" }), "allowed", "there is no body to look at");
    assert.equal(told({ ...rule, when: { path: "/elsewhere" } }, post("streamed")), "allowed", "it is for another path");
    const first: Partial<Rule> = { block: { query: { dry: { equals: "no" } }, json: { "/a": { equals: 1 } } } };
    assert.equal(told(first, post("streamed", "application/json", { path: "/a?dry=yes" })), "allowed", "nothing hangs on the body");
  });

  it("takes the content types that it is told", () => {
    const rule: Partial<Rule> = { require: { contentType: ["application/json"] } };
    assert.equal(told(rule, post("{}", "application/json; charset=utf-8")), "allowed");
    assert.equal(told(rule, post("a=1", "application/x-www-form-urlencoded")), because);
    assert.equal(told(rule, {}), "allowed");
  });
});
