import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { type Operation, parseOperation, unfit, withUpload } from "./operation.ts";

interface Sketch {
  method?: string;
  path?: string;
  headers?: [string, string][];
  body?: string;
  config?: TargetConfig;
}
const request = ({ method = "GET", path = "/v1/orders/42", headers = [], body = "", config }: Sketch) => {
  const listed = headers.map(([name, value]) => ({ $typeName: "sallyport.broker.v1.Header" as const, name, value }));
  return parseOperation("orders-api", config, { method, path, headers: listed, body: Buffer.from(body) });
};
const refused = (sketch: Sketch, sentence = /./) =>
  assert.throws(
    () => request(sketch),
    (error: unknown) => error instanceof Refusal && error.reason === "INVALID_REQUEST" && sentence.test(error.message),
    JSON.stringify(sketch),
  );

const config = (more: Partial<TargetConfig> = {}): TargetConfig => ({
  kind: "http",
  baseUrl: "http://127.0.0.1:1",
  secret: "prod/orders/api",
  inject: { bearer: "token" },
  allow: [{ method: "POST", path: "/v1/refunds" }],
  network: [],
  maxBodyBytes: 1024,
  timeoutSeconds: 1,
  ca: undefined,
  ...more,
});

describe("an HTTP operation", () => {
  it("is refused where a header holds a line break or what no header can carry", () => {
    const hostile: [string, string][] = [
      ...["1\r\nhost: evil.example", "1\n", "\r", "a\r\n b", "\0", "\x0b", "\x7f", "m\u00fcller", "\u202e", "x".repeat(9000)].map(
        (value): [string, string] => ["x-a", value],
      ),
      ...["x-a\r\n", "x a", "x-a:", ":path", "", "x\u0000", "x-\u00fc", "x".repeat(65)].map((name): [string, string] => [name, "1"]),
    ];
    for (const header of hostile) refused({ headers: [header] });
    refused({ headers: Array.from({ length: 65 }, (_, index): [string, string] => [`x-${index}`, "1"]) }, /at most 64/);
    refused({ headers: Array.from({ length: 5 }, (_, index): [string, string] => [`x-${index}`, "1".repeat(8000)]) }, /together/);
  });

  it("is refused where a header frames, routes, authenticates, or asks for pieces", () => {
    const names = [
      ...[
        "host",
        "authorization",
        "Authorization",
        "cookie",
        "set-cookie",
        "proxy-authorization",
        "proxy-connection",
        "connection",
        "keep-alive",
        "transfer-encoding",
      ],
      ...[
        "content-length",
        "te",
        "trailer",
        "upgrade",
        "http2-settings",
        "expect",
        "range",
        "if-range",
        "accept-encoding",
        "via",
        "forwarded",
        "x-forwarded-for",
      ],
      ...[
        "X-Forwarded-Host",
        "x_forwarded_host",
        "x-real-ip",
        "x-original-url",
        "x-rewrite-url",
        "x-host",
        "x-api-key",
        "X_Api_Key",
        "x-auth-token",
        "traceparent",
        "dpop",
      ],
    ];
    for (const name of names) refused({ headers: [[name, "x"]] }, /leave it out/);
  });

  it("keeps what describes the request, in one order and in lower case", () => {
    const headers: [string, string][] = [
      ["X-Tenant", " mine "],
      ["Accept", "text/plain, */*;q=0.1"],
      ["If-Match", '"abc"'],
      ["Stripe-Version", "2026-01-01"],
      ["X-CSRF-Token", "t"],
    ];
    assert.deepEqual(request({ headers }).headers, [
      ["accept", "text/plain, */*;q=0.1"],
      ["if-match", '"abc"'],
      ["stripe-version", "2026-01-01"],
      ["x-csrf-token", "t"],
      ["x-tenant", "mine"],
    ]);
  });

  it("PROX-05: is refused where a header comes twice, in whatever case", () => {
    refused(
      {
        headers: [
          ["X-Tenant", "mine"],
          ["x-tenant", "other"],
        ],
      },
      /there twice/,
    );
    refused(
      {
        headers: [
          ["X-Tenant", "mine"],
          ["X-Tenant", "mine"],
        ],
      },
      /there twice/,
    );
    refused(
      {
        method: "POST",
        headers: [
          ["Content-Type", "text/plain"],
          ["content-type", "application/json"],
        ],
      },
      /there twice/,
    );
    refused({
      headers: [
        ["Cookie", "a=1"],
        ["Cookie", "a=2"],
      ],
    });
  });

  it("PROX-05: keeps repeated query parameters and listed values exactly as they are judged, approved and sent", () => {
    const twice = request({ path: "/v1/orders?id=1&id=2" });
    assert.equal(twice.sent, "/v1/orders?id=1&id=2");
    assert.equal(twice.summary, "GET /v1/orders?id=1&id=2");
    assert.deepEqual(request({ headers: [["X-Tenant", "mine, other"]] }).headers, [["x-tenant", "mine, other"]]);
    assert.notDeepEqual(twice.exactBytes, request({ path: "/v1/orders?id=2&id=1" }).exactBytes);
  });

  it("PROX-07: has no body where a target would take it for the next request", () => {
    for (const method of ["GET", "HEAD"]) {
      refused({ method, body: "GET /admin HTTP/1.1" }, /has no body/);
      assert.throws(() => withUpload(request({ method }), upload("x")), /has no body/);
    }
    assert.equal(Buffer.from(request({ method: "DELETE", body: "{}" }).body).toString(), "{}");
    assert.equal(withUpload(request({ method: "PUT" }), upload("x")).upload?.size, 1);
  });

  describe("PROX-27: never runs another method than the one that is judged", () => {
    it("by its method's spelling", () => {
      for (const method of ["get", "Get", "GET\tX", "GET X", "", "POST ", "CONNECT", "TRACE", "G\u0045T\u200b", "X".repeat(17)])
        refused({ method });
      assert.equal(request({ method: "PATCH" }).method, "PATCH");
    });

    it("by a header", () => {
      const names = [
        "X-HTTP-Method-Override",
        "X-Method-Override",
        "X-HTTP-Method",
        "x_http_method_override",
        "Method-Override",
        "X-Method",
      ];
      for (const name of names) refused({ method: "POST", headers: [[name, "DELETE"]] }, /another method/);
    });

    it("by the query", () => {
      const queries = [
        "_method=DELETE",
        "a=1&_method=DELETE",
        "_METHOD=delete",
        "%5Fmethod=DELETE",
        "_m%65thod=DELETE",
        "a;_method=x",
        "X-HTTP-Method-Override=PUT",
        "+_method=x",
        ".method=x",
        "_method[]=x",
      ];
      for (const query of queries) if (!/[[\]]/.test(query)) refused({ method: "POST", path: `/x?${query}` }, /another method/);
      for (const query of ["method=fast", "payment_method=card", "a=_method", "x_method=1", "_methodology=1"])
        assert.equal(request({ method: "POST", path: `/x?${query}` }).query, `?${query}`);
    });

    const bodies: [string, string, string][] = [
      ["application/x-www-form-urlencoded", "amount=1&_method=DELETE", "amount=1&payment_method=card"],
      ["application/x-www-form-urlencoded; charset=utf-8", "%5fm%65thod=DELETE", "note=_method"],
      [
        "multipart/form-data; boundary=x",
        '--x\r\nContent-Disposition: form-data; name="_method"\r\n\r\nDELETE\r\n--x--',
        '--x\r\nContent-Disposition: form-data; name="method"\r\n\r\nfast\r\n--x--',
      ],
      [
        "multipart/form-data; boundary=x",
        "--x\r\ncontent-disposition: form-data;\r\n name*=utf-8''%5Fmethod\r\n\r\nDELETE",
        '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nsay _method here',
      ],
      ["application/json", '{"a":1,"_method":"DELETE"}', '{"a":1,"method":"DELETE"}'],
      ["application/vnd.api+json", '{"\\u005fm\\u0065thod" :"DELETE"}', '{"note":"the _method field"}'],
    ];

    for (const [type, bad, good] of bodies) {
      it(`by a body that is ${type}, in one piece or in many`, async () => {
        const headers: [string, string][] = [["content-type", type]];
        refused({ method: "POST", headers, body: bad }, /another method/);
        assert.equal(Buffer.from(request({ method: "POST", headers, body: good }).body).toString(), good);
        for (const size of [1, 7, 4096]) {
          await assert.rejects(read(withUpload(request({ method: "POST", headers }), upload(bad, size))), /another method/);
          assert.equal(await read(withUpload(request({ method: "POST", headers }), upload(good, size))), good);
          const late = `${"x=y&".repeat(500)}${bad}`;
          await assert.rejects(read(withUpload(request({ method: "POST", headers }), upload(late, size))), /another method/);
        }
      });
    }

    it("yet takes the same words in text that nobody parses for parameters", () => {
      assert.ok(request({ method: "POST", headers: [["content-type", "text/plain"]], body: "a=1&_method=DELETE" }));
      assert.ok(request({ method: "POST", body: "a=1&_method=DELETE" }));
    });
  });

  it("binds an upload's body by its hash, as if it were inline", () => {
    const empty = request({ method: "POST" });
    const sent = withUpload(empty, upload("hello"));
    assert.equal(sent.bodyHash, upload("hello").sha256);
    assert.notDeepEqual(sent.exactBytes, empty.exactBytes);
    assert.throws(() => withUpload(request({ method: "POST", body: "x" }), upload("hello")), /empty body/);
  });

  it("tells of a target's configuration only when it is asked for by whoever may know", () => {
    const reason = (operation: Operation) => unfit(operation)?.reason;
    const post = { method: "POST", path: "/v1/refunds" };
    assert.equal(reason(request({ ...post, config: config() })), undefined);
    assert.equal(reason(request({ ...post, path: "/v1/refunds/1", config: config() })), "DESTINATION_NOT_ALLOWED");
    assert.equal(reason(request({ ...post, method: "PUT", config: config() })), "DESTINATION_NOT_ALLOWED");
    assert.equal(reason(request(post)), "DESTINATION_NOT_ALLOWED");
    assert.equal(reason(request({ ...post, body: "x".repeat(1024), config: config() })), undefined);
    assert.equal(reason(request({ ...post, body: "x".repeat(1025), config: config() })), "TOO_LARGE");
    assert.equal(reason(withUpload(request({ ...post, config: config() }), upload("x".repeat(1025)))), "TOO_LARGE");
    const injecting = config({ inject: { header: { name: "X-Shop-Key", field: "token" } } });
    for (const name of ["x-shop-key", "X_Shop_Key"])
      assert.equal(reason(request({ ...post, headers: [[name, "mine"]], config: injecting })), "INVALID_REQUEST");
  });
});

function upload(text: string, size = 4096) {
  async function* pieces() {
    for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
  }
  return { size: text.length, sha256: Buffer.from(text).toString("hex").padEnd(64, "0").slice(0, 64), pieces: pieces() };
}

async function read(operation: Operation): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of operation.upload?.pieces ?? []) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
