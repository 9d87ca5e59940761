import assert from "node:assert/strict";
import { post, told } from "../rules/request.fixture.ts";
import { presets } from "./presets.ts";

const of = (name: string) => presets[name] ?? assert.fail(`there is no preset ${name}`);

describe("the built-in rules", () => {
  it("have one name each, a sentence, and are all known", () => {
    for (const [name, rules] of Object.entries(presets)) {
      assert.ok(rules.length > 0);
      for (const rule of rules) assert.ok(rule.name === name && rule.because.endsWith("."), name);
      assert.equal(told(rules, { method: "GET", path: "/v1/plain/thing" }), "allowed", name);
    }
  });

  it("no-callbacks blocks an address of another host, wherever it stands", () => {
    const rules = of("no-callbacks");
    const evil = "https://evil.example/collect";
    for (const sketch of [
      post(JSON.stringify({ callback_url: evil })),
      post(JSON.stringify({ a: [{ callbackUrl: evil }] })),
      post(JSON.stringify({ webhook: { url: evil, events: ["push"] } })),
      post(JSON.stringify({ "callback-uri": "//evil.example" })),
      post('{"call\\u0062ack":"https://evil.example"}'),
      post(`callback_url=${encodeURIComponent(evil)}`, "application/x-www-form-urlencoded"),
      post(`hook[webhook_url]=${encodeURIComponent(evil)}`, "application/x-www-form-urlencoded"),
      post(
        '--x\r\nContent-Disposition: form-data; name="callback"\r\n\r\nhttps://evil.example\r\n--x--',
        "multipart/form-data; boundary=x",
      ),
      { path: `/a?redirect_uri=${encodeURIComponent(evil)}` },
      { path: "/a?x=1;callback=https://evil.example" },
      post(JSON.stringify({ query: "mutation($c: String) { x(c: $c) }", variables: { callbackUrl: evil } })),
    ])
      assert.match(told(rules, sketch), /another host\.$/, JSON.stringify(sketch));
    for (const sketch of [
      post(JSON.stringify({ callback_url: "https://api.example.com/x", webhook: { url: "/local", name: "mine", retries: 3 } })),
      post(JSON.stringify({ url: evil, html_url: evil, note: `see ${evil}` })),
      post(JSON.stringify({ callback: "myFunction" })),
      { path: "/a?callback=jsonp_1" },
      { method: "DELETE", path: "/a" },
    ])
      assert.equal(told(rules, sketch), "allowed", JSON.stringify(sketch));
    assert.match(told(rules, post("<callback>https://evil.example</callback>", "application/xml")), /no JSON and no form/);
  });

  it("block what would send things from GitHub, GitLab, Slack and S3 to where others read them, and leave their neighbours alone", () => {
    const cases: [string, string, string, string, string][] = [
      ["github/no-webhooks", "POST", "/repos/o/r/hooks", "GET", "/repos/o/r/hooks"],
      ["github/no-webhooks", "PATCH", "/orgs/o/hooks/1", "POST", "/repos/o/r/issues"],
      ["github/no-gists", "POST", "/gists", "GET", "/gists"],
      ["github/no-gists", "POST", "/Gists/", "POST", "/repos/o/gists/issues"],
      ["github/no-new-credentials", "PUT", "/repos/o/r/actions/secrets/X", "GET", "/repos/o/r/actions/secrets/X"],
      ["gitlab/no-webhooks", "POST", "/api/v4/projects/1/hooks", "POST", "/api/v4/projects/1/issues"],
      ["gitlab/no-webhooks", "POST", "/api/v4/projects/group%2Fproject/hooks", "GET", "/api/v4/projects/1/hooks"],
      ["gitlab/no-snippets", "POST", "/api/v4/snippets", "GET", "/api/v4/snippets/1"],
      ["s3/no-public-access", "PUT", "/bucket?acl", "GET", "/bucket?acl"],
      ["s3/no-public-access", "PUT", "/bucket/key?acl=", "PUT", "/bucket/key"],
      ["s3/no-public-access", "PUT", "/bucket?policy", "PUT", "/bucket?tagging"],
      ["slack/no-outside", "POST", "/api/files.sharedPublicURL", "POST", "/api/chat.postMessage"],
    ];
    for (const [preset, method, path, otherMethod, otherPath] of cases) {
      assert.notEqual(told(of(preset), { method, path }), "allowed", `${method} ${path}`);
      assert.equal(told(of(preset), { method: otherMethod, path: otherPath }), "allowed", `${otherMethod} ${otherPath}`);
    }
    assert.notEqual(told(of("s3/no-public-access"), { method: "PUT", path: "/b/k", headers: { "x-amz-acl": "public-read" } }), "allowed");
    assert.equal(told(of("s3/no-public-access"), { method: "PUT", path: "/b/k", headers: { "x-amz-meta-a": "1" } }), "allowed");
  });
});
