import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import fc from "fast-check";
import { allows } from "./allow.ts";
import { isListed, parseOperation } from "./operation.ts";
import { canonicalPath } from "./path.ts";

const invalid = (error: unknown) => error instanceof Refusal && error.reason === "INVALID_REQUEST";
const request = (init: { method?: string; path?: string; headers?: [string, string][]; body?: string }) =>
  parseOperation("orders-api", undefined, {
    $typeName: "sallyport.broker.v1.HttpOperation",
    method: init.method ?? "GET",
    path: init.path ?? "/v1/orders/42",
    headers: (init.headers ?? []).map(([name, value]) => ({ $typeName: "sallyport.broker.v1.Header", name, value })),
    body: Buffer.from(init.body ?? ""),
  });

describe("an HTTP operation", () => {
  it("is refused where its path could mean another host, path or request", () => {
    const hostile = [
      "",
      "v1/orders",
      "//evil.example/x",
      "/\\evil.example",
      "/v1/../admin",
      "/v1/%2e%2e/admin",
      "/v1/.%2E/admin",
      "/v1/./x",
      "/v1/%2f..%2fadmin",
      "/v1/orders#x",
      "/v1/ orders",
      "/v1/orders\r\nHost: evil.example",
      "/v1/%0d%0aX: y",
      "/v1/%00",
      "/v1/%zz",
      "/v1/%",
      "/v1//orders",
      "/v1/%252e%252e/x",
      "/v1/..;/admin",
      "https://evil.example/",
      "/v1/\u202eorders",
      "/v1/<script>",
      `/${"a".repeat(9000)}`,
    ]; // prettier-ignore
    for (const path of hostile) assert.throws(() => request({ path }), invalid, JSON.stringify(path));
  });

  it("keeps an @ inside the path, which can name no host there", () => {
    assert.equal(request({ path: "/v1/users/a@b.example" }).path, "/v1/users/a@b.example");
    assert.throws(() => request({ path: "@evil.example/x" }), invalid);
  });

  it("PROX-31 keeps a single-layer %2f as it is, in one spelling, and it stays inside its segment", () => {
    assert.equal(canonicalPath("/@acme%2fwidget").path, "/@acme%2Fwidget");
    assert.ok(allows([{ method: "GET", path: "/{package}" }], "GET", "/@acme%2Fwidget"));
    assert.ok(!allows([{ method: "GET", path: "/{scope}/{package}" }], "GET", "/@acme%2Fwidget"));
    assert.throws(() => canonicalPath("/a%252Fb"), invalid);
  });

  it("has one form: what is canonical stays as it is (property)", () => {
    fc.assert(
      fc.property(fc.webPath(), fc.webQueryParameters(), (path, query) => {
        let once: ReturnType<typeof canonicalPath>;
        try {
          once = canonicalPath(`${path}?${query}`);
        } catch (error) {
          return invalid(error);
        }
        const twice = canonicalPath(once.path + once.query);
        return twice.path === once.path && twice.query === once.query;
      }),
    );
  });

  it("matches a template by whole segments only", () => {
    const rules = [{ method: "GET", path: "/v1/orders/{id}" }];
    assert.ok(allows(rules, "GET", "/v1/orders/42"));
    for (const path of ["/v1/orders/", "/v1/orders", "/v1/orders/42/lines", "/v1/ordersx/42", "/v1/orders/42x/"])
      assert.ok(!allows(rules, "GET", path), path);
    assert.ok(!allows(rules, "POST", "/v1/orders/42"));
    assert.ok(!allows([], "GET", "/"));
    assert.ok(!isListed(request({})));
  });

  it("is refused where a header holds a line break, frames, routes or authenticates", () => {
    const hostile: [string, string][] = [
      ["x-a", "1\r\nhost: evil.example"],
      ["x-a", "1\n"],
      ["x-a\r\n", "1"],
      ["host", "evil.example"],
      ["authorization", "Bearer x"],
      ["cookie", "a=b"],
      ["proxy-authorization", "x"],
      ["connection", "close"],
      ["transfer-encoding", "chunked"],
      ["content-length", "3"],
      ["te", "trailers"],
      ["upgrade", "websocket"],
      ["expect", "100-continue"],
      ["range", "bytes=0-5"],
      ["x-forwarded-for", "1.2.3.4"],
      ["x-original-url", "/admin"],
      ["accept-encoding", "gzip"],
      [":path", "/x"],
      ["", "x"],
    ]; // prettier-ignore
    for (const header of hostile) assert.throws(() => request({ headers: [header] }), invalid, JSON.stringify(header));
    assert.deepEqual(
      request({
        headers: [
          ["X-Tenant", "mine"],
          ["Accept", "text/plain"],
        ],
      }).headers,
      [
        ["accept", "text/plain"],
        ["x-tenant", "mine"],
      ],
    );
  });

  it("PROX-05 is refused where a header comes twice, in whatever case", () => {
    assert.throws(
      () =>
        request({
          headers: [
            ["X-Tenant", "mine"],
            ["x-tenant", "other"],
          ],
        }),
      invalid,
    );
    assert.throws(
      () =>
        request({
          method: "POST",
          headers: [
            ["Content-Type", "text/plain"],
            ["content-type", "application/json"],
          ],
        }),
      invalid,
    );
  });

  it("PROX-27 never runs another method than the one that is judged", () => {
    for (const name of ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
      assert.throws(() => request({ method: "POST", headers: [[name, "DELETE"]] }), invalid);
    assert.throws(() => request({ method: "POST", path: "/x?_method=DELETE" }), invalid);
    for (const method of ["get", "GET\tX", "", "CONNECT", "TRACE", "POST "]) assert.throws(() => request({ method }), invalid, method);
    assert.equal(request({ method: "POST", path: "/x?method=fast" }).query, "?method=fast");
  });

  it("PROX-07 has no body where a target would not expect one", () => {
    assert.throws(() => request({ method: "GET", body: "GET /admin HTTP/1.1" }), invalid);
    assert.equal(Buffer.from(request({ method: "DELETE", body: "{}" }).body).toString(), "{}");
  });
});
