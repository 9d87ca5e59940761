import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import fc from "fast-check";
import { allows, checkRules } from "./allow.ts";
import { canonicalPath } from "./path.ts";

const invalid = (error: unknown) => error instanceof Refusal && error.reason === "INVALID_REQUEST";

describe("a path", () => {
  it("is refused where it could mean another host, path or request", () => {
    const hostile = [
      ...["", "v1/orders", "//evil.example/x", "/\\evil.example", "@evil.example/x", "https://evil.example/", "/v1//orders", "//"],
      ...[
        "/v1/../admin",
        "/v1/./x",
        "/v1/..",
        "/v1/%2e%2e/admin",
        "/v1/.%2E/admin",
        "/v1/%2e",
        "/v1/a%2eb",
        "/v1/..;/admin",
        "/v1/..%3b/admin",
        "/v1/.;x/admin",
      ],
      ...["/v1/%2f..%2fadmin", "/v1/a%2f..%2fadmin", "/v1/%2fetc", "/v1/a%2f%2fb", "/v1/a%2f", "/v1/a%5c..%5cb", "/v1/%5cadmin"],
      ...[
        "/v1/%252e%252e/x",
        "/a%252Fb",
        "/a%2525b",
        "/v1/%c0%ae%c0%ae/x",
        "/v1/%e0%80%af",
        "/v1/%ff",
        "/v1/%EF%BC%8E%EF%BC%8E/x",
        "/v1/a%EF%BC%8F..",
        "/v1/a%EF%BC%8Fb",
      ],
      ...[
        "/v1/orders#x",
        "/v1/ orders",
        "/v1/orders\r\nHost: evil.example",
        "/v1/\torders",
        "/v1/%0d%0aX: y",
        "/v1/%0d%0a",
        "/v1/%00",
        "/v1/%7f",
        "/v1/%zz",
        "/v1/%",
        "/v1/x%2",
      ],
      ...[
        "/v1/\u202eorders",
        "/v1/orders\u200b",
        "/v1/m\u00fcller",
        "/v1/<script>",
        '/v1/"x"',
        "/v1/{id}",
        "/v1/x|y",
        "/v1/^",
        `/${"a".repeat(9000)}`,
      ],
      ...["/v1/x?a=%00", "/v1/x?a b", "/v1/x?a#b", "/v1/x?%", "/v1/x?a=\r\nb"],
    ];
    for (const path of hostile) assert.throws(() => canonicalPath(path), invalid, JSON.stringify(path));
  });

  it("is kept where it only looks unusual", () => {
    const plain = [
      ...[
        "/v1/orders/42",
        "/v1/users/a@b.example",
        "/v1/files/report.v2.json",
        "/v1/...",
        "/v1/a..b",
        "/v1/.well-known",
        "/v1/orders/",
        "/a;v=1/b",
        "/v1/x:cancel",
      ],
      ...[
        "/v1/m%C3%BCller",
        "/v1/100%25",
        "/v1/a%20b",
        "/~user/x",
        "/v1/orders?expand=lines&tag=a&tag=b&next=%2Fhome%3Fx",
        "/v1/search?q=a%0ab",
        "/v1/x?",
        "/v1/x?a=%2e%2e/b",
      ],
    ];
    for (const path of plain) assert.equal(canonicalPath(path).sent, path);
  });

  it("loses encodings that nothing needs", () => {
    assert.equal(canonicalPath("/%7Euser/%61dmin").sent, "/~user/admin");
  });

  it("PROX-31: keeps a single-layer %2f byte for byte, and it stays inside its segment", () => {
    for (const path of ["/@acme%2fwidget", "/@acme%2Fwidget/-/w-1.tgz", "/group%2Fsub%2Fproject"])
      assert.equal(canonicalPath(path).sent, path);
    // Judged in one spelling, so that a rule or policy that knows one knows both.
    assert.equal(canonicalPath("/@acme%2fwidget").path, "/@acme%2Fwidget");
    assert.ok(allows([{ method: "GET", path: "/{package}" }], "GET", canonicalPath("/@acme%2fwidget").path));
    assert.ok(allows([{ method: "GET", path: "/@acme%2Fwidget" }], "GET", canonicalPath("/@acme%2fwidget").path));
    assert.ok(!allows([{ method: "GET", path: "/{scope}/{package}" }], "GET", canonicalPath("/@acme%2fwidget").path));
    assert.throws(() => canonicalPath("/a%252Fb"), invalid);
  });

  it("has one form: what was parsed parses to itself", () => {
    fc.assert(
      fc.property(fc.webPath(), fc.webQueryParameters(), (path, query) => {
        let once: ReturnType<typeof canonicalPath>;
        try {
          once = canonicalPath(`${path}?${query}`);
        } catch (error) {
          return invalid(error);
        }
        return canonicalPath(once.sent).sent === once.sent && canonicalPath(once.path).path === once.path;
      }),
      { numRuns: 50 },
    );
  });

  it("never leaves the template that it matched, whatever a server makes of it", () => {
    const part = fc.constantFrom(
      "..",
      ".",
      "/",
      "%2f",
      "%2F",
      "%2e",
      "%5c",
      "\\",
      ";",
      "a",
      "%25",
      "2e",
      "2f",
      "%c0%ae",
      "\uff0e",
      "%EF%BC%8E",
      "//",
      "?",
      "@",
      "#",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = `/files/${parts.join("")}`;
        let parsed: ReturnType<typeof canonicalPath>;
        try {
          parsed = canonicalPath(text);
        } catch (error) {
          return invalid(error);
        }
        if (!allows([{ method: "GET", path: "/files/{name}" }], "GET", parsed.path)) return true;
        // As a server that decodes once or twice and then resolves dots would.
        const sentPath = parsed.sent.split("?")[0] as string;
        for (const seen of [sentPath, once(sentPath), once(once(sentPath))]) {
          if (!new URL(seen.replaceAll("\\", "/"), "http://target").pathname.startsWith("/files/")) return false;
        }
        return true;
      }),
      { numRuns: 2000 },
    );
  });
});

function once(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

describe("a target's rules", () => {
  const rules = [{ method: "GET", path: "/v1/orders/{id}" }];

  it("match whole segments only", () => {
    assert.ok(allows(rules, "GET", "/v1/orders/42"));
    for (const path of ["/v1/orders/", "/v1/orders", "/v1/orders/42/lines", "/v1/ordersx/42", "/v1/orders/42/", "/V1/orders/42", "/"])
      assert.ok(!allows(rules, "GET", path), path);
    for (const method of ["POST", "HEAD", "get"]) assert.ok(!allows(rules, method, "/v1/orders/42"));
    assert.ok(!allows([], "GET", "/"));
  });

  it("POLI-15: are refused when they are loaded where they are empty, broken or look like everything", () => {
    const broken = [
      "",
      "*",
      "/",
      "[",
      null,
      undefined,
      "/v1/orders ",
      " ",
      ".",
      "/*",
      "/v1/*",
      "/**",
      "//",
      "/v1//x",
      "/{id",
      "/{}",
      "/{1}",
      "/x{id}",
      "/{a}{b}",
      "/..",
      "/v1/../x",
      "/v1?x=1",
      "/v1#x",
      "/%2e%2e",
      "/%61",
      "/a%2fb",
      "v1",
    ];
    for (const path of broken) {
      const rule = { method: "GET", path: path as string };
      assert.throws(
        () => checkRules([{ method: "GET", path: "/ok" }, rule], "targets.x.allow"),
        (error: unknown) => invalid(error) && /^targets\.x\.allow\[1\]\.path /.test((error as Error).message),
        JSON.stringify(path),
      );
      for (const any of ["/", "/a", "/a/b", "/v1/orders/42"])
        assert.ok(path === any || typeof path !== "string" || !allows([rule], "GET", any), `${path} matches ${any}`);
    }
    for (const method of ["", "*", "get", "GET ", undefined])
      assert.throws(() => checkRules([{ method: method as string, path: "/a" }], "x"), invalid);
    assert.throws(() => checkRules([], "x"), invalid);
  });

  it("POLI-15: are taken where they are plain", () => {
    checkRules(
      ["/v1/orders/{id}", "/v1/refunds", "/{package}", "/@acme%2Fwidget", "/v1/orders/", "/~user", "/v1/x:cancel"].map((path) => ({
        method: "GET",
        path,
      })),
      "x",
    );
  });
});
