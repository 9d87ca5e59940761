import { gzipSync } from "node:zlib";
import { type Attack, type Family, inside, passes } from "./attack.ts";

const get = (name: string, path: string, refused = "INVALID_REQUEST"): Attack => inside(name, refused, (lab) => lab.head(`GET ${path}`));
const header = (name: string, ...headers: string[]): Attack =>
  inside(name, "INVALID_REQUEST", (lab) => lab.head("GET /anything", ...headers));
const post = (name: string, ...headers: string[]): Attack =>
  inside(name, "INVALID_REQUEST", (lab) => lab.head("POST /anything", ...headers, "Content-Length: 0"));

/** Requests that mean something else than what is judged. */
export const requests: Family = {
  name: "requests that mean something else",
  attacks: [
    get("dot segments", "/x/../anything"),
    get("encoded dot segments", "/x/%2e%2e/anything"),
    get("dot segments with a parameter", "/x/..;/anything"),
    get("a twice encoded dot segment", "/x/%252e%252e/anything"),
    get("an encoded NUL in a path", "/anything%00.json"),
    get("an encoded line break in a path", "/anything%0d%0aX-A:%20b"),
    get("an encoded backslash", "/anything%5c..%5cadmin"),
    get("a full-width slash", "/any%EF%BC%8Fthing"),
    get("an empty segment", "/anything//x"),
    get("a fragment", "/anything#x"),
    get("a percent that encodes nothing", "/anything%zz"),
    get("a path that is not listed", "/admin/keys", "DESTINATION_NOT_ALLOWED"),
    get("a method by query", "/anything?_method=DELETE"),
    post("a method by X-HTTP-Method-Override", "X-HTTP-Method-Override: DELETE"),
    post("a method by X-Method-Override", "X-Method-Override: DELETE"),
    post("a method by X-HTTP-Method", "X-HTTP-Method: DELETE"),
    inside(
      "a method by a form",
      "INVALID_REQUEST",
      (lab) => `${lab.head("POST /anything", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 14")}_method=DELETE`,
    ),
    {
      name: "a method by a form that comes packed",
      refused: "INVALID_REQUEST",
      attempt: (lab) => {
        const form = gzipSync("_method=DELETE");
        const type = "Content-Type: application/x-www-form-urlencoded";
        const head = lab.head("POST /anything", type, "Content-Encoding: gzip", `Content-Length: ${form.length}`);
        return lab.inside(Buffer.concat([Buffer.from(head), form]));
      },
    },
    inside("a method in lower case", "INVALID_REQUEST", (lab) => lab.head("get /anything")),
    inside("TRACE", "INVALID_REQUEST", (lab) => lab.head("TRACE /anything")),
    inside("a method that is not listed", "DESTINATION_NOT_ALLOWED", (lab) => lab.head("PATCH /anything", "Content-Length: 0")),
    header("a header twice", "X-Tenant: mine", "X-Tenant: other"),
    header("a content type twice", "Content-Type: application/json", "content-type: text/plain"),
    header("a target named twice", "Sallyport-Target: echo", "Sallyport-Target: plain"),
    header("two cookies", "Cookie: a=1", "Cookie: a=2"),
    header("a cookie", "Cookie: session=of-the-secret"),
    header("a client's address", "X-Forwarded-For: 127.0.0.1"),
    header("a client's address, by RFC 7239", "Forwarded: for=127.0.0.1"),
    header("another host by header", "X-Forwarded-Host: evil.test"),
    header("another path by header", "X-Original-URL: /admin"),
    header("another path by Rewrite-URL", "X-Rewrite-URL: /admin"),
    header("a key beside the secret", "X-Api-Key: mine"),
    header("the broker's own header", "X-Sallyport-Request-Id: forged"),
    header("a header with another character set", "X-A: b\x80c"),
    inside("a file to be read by the target's server", "INVALID_REQUEST", (lab) => lab.head("GET /anything", "X-Sendfile: /etc/passwd")),
    inside("a WebSocket where it is not listed", "DESTINATION_NOT_ALLOWED", (lab) =>
      lab.head(
        "GET /anything",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ),
    ),
    inside("a WebSocket by POST", "INVALID_REQUEST", (lab) =>
      lab.head("POST /anything", "Connection: Upgrade", "Upgrade: websocket", "Content-Length: 0"),
    ),
    inside("a WebSocket with a body", "INVALID_REQUEST", (lab) =>
      lab.head(
        "GET /anything",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Content-Length: 4",
      ),
    ),
    inside("the secret itself, sent elsewhere in the request", "GUARDRAIL_BLOCKED", (lab) =>
      lab.head("GET /anything", `X-Note: ${lab.canary}`),
    ),
    inside("a placeholder where none is filled in", "GUARDRAIL_BLOCKED", (lab) =>
      lab.head("GET /anything", "X-Note: [sallyport:prod/orders/read#token]"),
    ),
    {
      name: "a target that nobody knows, by the reverse path",
      refused: "DENIED_BY_POLICY",
      attempt: (lab) => lab.door((authorization) => `GET /t/no-such/anything HTTP/1.1\r\nHost: ${lab.site.proxy}\r\n${authorization}\r\n`),
    },
    {
      name: "dot segments out of the reverse path",
      refused: "INVALID_REQUEST",
      attempt: (lab) =>
        lab.door((authorization) => `GET /t/echo/../other-name/anything HTTP/1.1\r\nHost: ${lab.site.proxy}\r\n${authorization}\r\n`),
    },
  ],
  twins: [
    passes("an encoded slash in a package's name", (lab) => lab.head("GET /@acme%2fwidget")),
    passes("a query parameter twice", (lab) => lab.head("GET /anything?id=1&id=2")),
    passes("a header of the tool's own", (lab) => lab.head("GET /anything", "X-Tenant: mine", "User-Agent: tool/1.0")),
    passes("a range, which is not asked for", (lab) => lab.head("GET /anything", "Range: bytes=0-5")),
    passes("headers that Connection names", (lab) =>
      lab.head("GET /anything", "Connection: close, X-Mine, Authorization", "X-Mine: a", "Authorization: Bearer mine"),
    ),
    passes("a DELETE that is listed", (lab) => lab.head("DELETE /anything")),
  ],
};
