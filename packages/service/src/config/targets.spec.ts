import assert from "node:assert/strict";
import { parseConfig } from "./index.ts";
import { problems, withSecret } from "./problems.fixture.ts";

const target = (settings: string) => `${withSecret}targets:\n  t: { kind: http, secret: s, inject: { bearer: t }, ${settings} }`;

describe("a target in sallyport.yaml", () => {
  it("POLI-15: is refused at load, with line and column, where a path says less than it seems to", () => {
    for (const path of [
      '""',
      '"*"',
      "/",
      '"["',
      "null",
      '"/v1/orders "',
      '" "',
      ".",
      "/*",
      "/v1/**",
      "//a",
      "/a//b",
      '"/{id"',
      '"/x{id}"',
      '"/{a+}/b"',
      "/..",
      "/a?b",
      "/%61",
    ])
      assert.match(
        problems(target(`baseUrl: "http://x", allow: [{ method: GET, path: ${path} }]`)),
        /^sallyport\.yaml:6:\d+: targets\.t\.allow\.0\.path: /,
        path,
      );
    assert.match(problems(target('baseUrl: "http://x", allow: [{ method: GET }]')), /6:\d+: targets\.t\.allow\.0\.path: is missing/);
    assert.match(problems(target('baseUrl: "http://x", allow: []')), /6:\d+: targets\.t\.allow: must not be empty/);
  });

  it("POLI-15: is taken where its paths are plain", () => {
    for (const path of ["/v1/orders/{id}", "/{package}", "/@acme%2Fwidget", "/v1/orders/", "/~user", "/v1/x:cancel", "/bucket/{key+}"])
      assert.ok(parseConfig(target(`baseUrl: "http://x", allow: [{ method: GET, path: "${path}" }]`), "x.yaml"), path);
  });

  it('POLI-15: is refused where its host is "." or has an empty part', () => {
    for (const host of [".", "..", "a..b", ".a"])
      assert.match(
        problems(target(`baseUrl: "https://${host}/", allow: [{ method: GET, path: /a }]`)),
        /6:\d+: targets\.t\.baseUrl: must (name a host|be a URL)/,
        host,
      );
    assert.ok(parseConfig(target('baseUrl: "https://a.b./", allow: [{ method: GET, path: /a }]'), "x.yaml"));
  });

  it("is refused at load with a method that there is not, which would allow nothing", () => {
    const withMethod = (method: string) => problems(target(`baseUrl: "https://x", allow: [{ method: ${method}, path: /a }]`));
    assert.match(withMethod("GTE"), /allow\.0\.method: must be an HTTP method in capitals, such as GET – did you mean "GET"\?/);
    assert.match(withMethod("patch"), /did you mean "PATCH"\?/);
    assert.match(withMethod("WEBSOCKETS"), /did you mean "WEBSOCKET"\?/);
    assert.match(withMethod("CONNECT"), /must be an HTTP method/);
    assert.ok(parseConfig(target('baseUrl: "https://x", allow: [{ method: PROPFIND, path: /a }]'), "x.yaml"));
  });

  it("is refused at load where rules would have to judge a WebSocket's messages, which they do not", () => {
    const both = 'baseUrl: "https://x", allow: [{ method: WEBSOCKET, path: /a }], rules: [{ preset: no-callbacks }]';
    assert.match(problems(target(both)), /targets\.t\.allow\.0\.method: must not be WEBSOCKET beside rules/);
    assert.ok(parseConfig(target('baseUrl: "https://x", allow: [{ method: WEBSOCKET, path: /a }]'), "x.yaml"));
  });

  describe("with guardrail rules", () => {
    const ruled = (rule: string) =>
      `${withSecret}targets:\n  t:\n    kind: http\n    baseUrl: https://x.y\n    secret: s\n    inject: { bearer: t }\n    allow: [{ method: GET, path: /a }]\n    rules:\n      - ${rule}`;

    it("takes each kind, and presets as the rules that they stand for", () => {
      for (const rule of [
        "{ preset: no-callbacks }",
        "{ name: a, when: { methods: [POST], path: '/hooks/{id}' }, block: always, because: x }",
        "{ name: a, require: { json: { /cents: { max: 5, optional: true }, /items/*/id: { matches: '[a-z]+' } } }, because: x }",
        "{ name: a, require: { query: { q: { oneOf: [1, two, null] } }, headers: { X-A: { present: true } }, contentType: [application/json] }, because: x }",
        "{ name: a, require: { graphql: { types: [query], maxDepth: 5 } }, because: x }",
        "{ name: a, block: { mcp: { tools: [shell], arguments: { /cmd: { matches: 'rm .*' } } } }, because: x }",
        "{ name: a, require: { multipart: { fields: { kind: { equals: a } }, files: { types: [text/csv], maxCount: 1 } } }, because: x }",
        "{ name: a, block: { fields: { names: [url], value: { otherHosts: [self, '*.example.com'] } } }, because: x }",
      ])
        assert.ok((parseConfig(ruled(rule), "x.yaml").targets.t?.rules ?? []).length > 0, rule);
    });

    it("POLI-15: is refused at load, with line and column, where a rule is empty, unknown or matches everything", () => {
      const wrong: [string, RegExp][] = [
        ["{ preset: no-calbacks }", /rules\.0\.preset: there is no preset "no-calbacks" – did you mean "no-callbacks"\?/],
        [
          "{ name: a, block: { jsn: { /a: { equals: 1 } } }, because: x }",
          /rules\.0\.block\.jsn: there is no such setting – did you mean "json"\?/,
        ],
        [
          "{ name: a, block: { json: { /a: { equal: 1 } } }, because: x }",
          /rules\.0\.block\.json\.\/a\.equal: there is no such setting – did you mean "equals"\?/,
        ],
        ["{ name: a, block: alway, because: x }", /rules\.0\.block: Invalid input: expected "always"/],
        ["{ name: a, because: x }", /rules\.0: must have exactly one of "block", "require"/],
        ["{ name: a, block: always }", /rules\.0\.because: is missing/],
        ["{ name: a, block: always, require: { query: { a: { equals: 1 } } }, because: x }", /exactly one of/],
        ["{ name: a, block: {}, because: x }", /rules\.0\.block: must not be empty/],
        ["{ name: a, require: { json: {} }, because: x }", /rules\.0\.require\.json: must not be empty/],
        ["{ name: a, require: { json: { /a: {} } }, because: x }", /must say what the value must be/],
        ["{ name: a, require: { json: { /a: { optional: true } } }, because: x }", /must say what the value must be/],
        ["{ name: a, when: {}, block: always, because: x }", /rules\.0\.when: must not be empty/],
        ["{ name: a, require: { json: { a: { equals: 1 } } }, because: x }", /must be a JSON Pointer/],
        ["{ name: a, require: { json: { /a: { matches: '(' } } }, because: x }", /must be an RE2 pattern/],
        ["{ name: a, require: { json: { /a: { matches: '' } } }, because: x }", /must be an RE2 pattern/],
        ["{ name: a, require: { json: { /a: { matches: '.*' } } }, because: x }", /must not match everything/],
        ["{ name: a, require: { graphql: { deeperThan: 5 } }, because: x }", /is for block; write maxDepth/],
        ["{ name: a, block: { json: { /a: { equals: 1 } }, form: { a: { equals: 1 } } }, because: x }", /must read the body in one way/],
        ["null", /rules\.0: must be a mapping/],
        ...["''", "'*'", "/", "'['", "null", "'/v1 '", "/*", "."].map((path): [string, RegExp] => [
          `{ name: a, when: { path: ${path} }, block: always, because: x }`,
          /rules\.0\.when\.path: /,
        ]),
        ...["'.'", "'*'", "'*.com'", "'a b'", "'A.com'", "'https://a.com'", "''"].map((host): [string, RegExp] => [
          `{ name: a, require: { json: { /u: { hosts: [${host}] } } }, because: x }`,
          /hosts\.0: must be self, or a host name/,
        ]),
      ];
      for (const [rule, sentence] of wrong) {
        assert.match(problems(ruled(rule)), /^sallyport\.yaml:13:\d+: /, rule);
        assert.match(problems(ruled(rule)), sentence, rule);
      }
    });
  });
});
