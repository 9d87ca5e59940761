import assert from "node:assert/strict";
import { Action, Refusal } from "@sallyport/contracts";
import { parseConfig } from "@sallyport/service";
import { parseAuthority } from "./authority.ts";
import { Destinations } from "./destinations.ts";

const target = (baseUrl: string, secret: string, ...allow: string[]) =>
  `{ kind: http, baseUrl: "${baseUrl}", secret: ${secret}, inject: { bearer: token }, allow: [${allow.map((path) => `{ method: GET, path: "${path}" }`).join(", ")}] }`;

const config = parseConfig(
  `version: 1
trustDomain: example.internal
proxy: { pass: ["registry.test:443", "*.cdn.test:443", "api.test:80"] }
stores: { dev: { kind: file, path: ./x, key: env:X } }
secrets: { a: { store: dev, fields: [token] }, b: { store: dev, fields: [token] } }
targets:
  api: ${target("https://api.test", "a", "/v1/orders/{id}", "/both")}
  other-secret: ${target("https://api.test", "b", "/v1/payroll/{id}", "/both")}
  deeper: ${target("https://api.test/v2/", "b", "/orders/{id}")}
  team/tools/llm: ${target("https://llm.test:8443/v1", "a", "/chat")}
  address: ${target("https://[::1]:9443", "a", "/x")}
  bare: ${target("http://plain.test:8080", "a", "/x")}
`,
  "/sallyport.yaml",
);
const destinations = new Destinations(config.targets, config.proxy?.pass ?? []);
const ceiling = (...targets: string[]) => ({ entries: [{ actions: [Action.USE], secrets: ["*"], targets }] }) as never;
const origin = (authority: string, scheme: "http" | "https" = "https") =>
  parseAuthority(authority, scheme) as NonNullable<ReturnType<typeof parseAuthority>>;
const find = (path: string, named?: string, allowed = ceiling("*")) => destinations.find(origin("api.test"), "GET", path, allowed, named);
const refused = (reason: string) => (error: unknown) => error instanceof Refusal && error.reason === reason;

describe("where a tool's request is for", () => {
  it("is the one target at that origin, below its base path at a segment's edge", () => {
    assert.deepEqual(find("/v2/orders/7?x=1"), { target: "deeper", path: "/orders/7?x=1" });
    assert.deepEqual(find("/v2"), { target: "deeper", path: "/" });
    // Not below /v2, but beside it.
    assert.notEqual(find("/v2x/orders/7").target, "deeper");
    assert.deepEqual(destinations.find(origin("llm.test:8443"), "GET", "/v1/chat", ceiling("*"), undefined), {
      target: "team/tools/llm",
      path: "/chat",
    });
    assert.throws(
      () => destinations.find(origin("llm.test:8443"), "GET", "/v10/chat", ceiling("*"), undefined),
      refused("DESTINATION_NOT_ALLOWED"),
    );
    assert.throws(
      () => destinations.find(origin("llm.test"), "GET", "/v1/chat", ceiling("*"), undefined),
      refused("DESTINATION_NOT_ALLOWED"),
    );
    assert.throws(
      () => destinations.find(origin("llm.test:8443", "http"), "GET", "/v1/chat", ceiling("*"), undefined),
      refused("DESTINATION_NOT_ALLOWED"),
    );
  });

  it("is told apart by what targets allow, then by the caller's ceiling, then by name; else refused", () => {
    assert.equal(find("/v1/orders/7").target, "api");
    assert.equal(find("/v1/payroll/7").target, "other-secret");
    assert.equal(find("/both", undefined, ceiling("other-secret")).target, "other-secret");
    assert.equal(find("/both", "api").target, "api");
    assert.throws(() => find("/both"), refused("INVALID_REQUEST"));
    assert.throws(() => find("/both", "bare"), refused("DESTINATION_NOT_ALLOWED"));
  });

  it("on the reverse path is the longest configured name, and an unknown one goes the same way", () => {
    assert.deepEqual(destinations.reverse("/t/team/tools/llm/chat?x"), { target: "team/tools/llm", path: "/chat?x" });
    assert.deepEqual(destinations.reverse("/t/api"), { target: "api", path: "/" });
    assert.deepEqual(destinations.reverse("/t/apis/v1"), { target: "apis", path: "/v1" });
    assert.equal(destinations.reverse("/api"), undefined);
  });
});

describe("what is passed on without a secret", () => {
  const passes = (authority: string) => destinations.passes(origin(authority));

  it("is what configuration lists: a host, or names below one, at one port", () => {
    assert.ok(passes("registry.test") && passes("a.cdn.test") && passes("a.b.cdn.test"));
    for (const other of ["registry.test:80", "cdn.test", "xcdn.test", "registry.test.evil.test", "evil-registry.test"])
      assert.ok(!passes(other), other);
  });

  it("is never where a target is on some scheme", () => {
    assert.ok(destinations.passes({ host: "api.test", port: 80 }));
    assert.ok(!destinations.passes({ host: "plain.test", port: 8080 }));
    const listed = new Destinations(config.targets, [{ host: "api.test", below: false, port: 443 }]);
    assert.ok(!listed.passes(origin("api.test")));
  });
});

describe("an authority", () => {
  it("is one host and port in one form", () => {
    assert.deepEqual(parseAuthority("API.Test:443", "https"), { scheme: "https", host: "api.test", port: 443 });
    assert.deepEqual(parseAuthority("0x7f.1:80", "http"), { scheme: "http", host: "127.0.0.1", port: 80 });
    assert.deepEqual(parseAuthority("[0:0::1]:9", "https"), { scheme: "https", host: "::1", port: 9 });
    for (const none of [
      "",
      "a@b",
      "a:b",
      "a:99999",
      "a/b",
      "a b",
      "a,b",
      "a:1:2",
      "[::1",
      "[fe80::1%eth0]:1",
      "ａ.test",
      "a?b",
      "a#b",
      "*",
    ])
      assert.equal(parseAuthority(none, "https"), undefined, none);
  });

  it("gives the CA the hosts of targets with TLS, and no other", () => {
    assert.deepEqual(destinations.hosts.toSorted(), ["::1", "api.test", "llm.test"]);
    assert.ok(destinations.targetHosts.includes("plain.test"));
  });
});
