import assert from "node:assert/strict";
import { post, told } from "./request.fixture.ts";
import type { Rule } from "./rule.ts";

const because = "It is so.";
const form = (body: string) => post(body, "application/x-www-form-urlencoded");
const part = (head: string, content: string) => `--x\r\n${head}\r\n\r\n${content}\r\n`;
const field = (name: string, value: string) => part(`Content-Disposition: form-data; name="${name}"`, value);
const file = (name: string, fileName: string, type: string, content = "x") =>
  part(`Content-Disposition: form-data; name="${name}"; filename="${fileName}"\r\nContent-Type: ${type}`, content);
const multipart = (...parts: string[]) => post(`${parts.join("")}--x--\r\n`, "multipart/form-data; boundary=x");

describe("a rule about a form", () => {
  it("judges a URL-encoded field by its decoded value, once", () => {
    const rule: Partial<Rule> = { require: { form: { to: { hosts: ["self"] }, mode: { oneOf: ["a", "b"], optional: true } } } };
    assert.equal(told(rule, form("to=https%3A%2F%2Fapi.example.com%2Fx&note=1&note=2")), "allowed");
    assert.equal(told(rule, form("t%6F=/x&mode=b")), "allowed");
    for (const body of ["to=https://evil.example", "mode=a", "to=/x&mode=c"]) assert.equal(told(rule, form(body)), because, body);
    for (const body of [
      "to=/x&to=https://evil.example",
      "to=/x&To=//evil.example",
      "to=/x&to[]=1",
      "to=/x;to=//evil",
      "to=%zz",
      "to=%FF",
      "to=/x&+to=1",
    ])
      assert.match(told(rule, form(body)), /^it must be looked at/, body);
    assert.match(told(rule, post("to=/x", "text/plain")), /URL-encoded form/);
  });

  it("judges a multipart form's fields and files", () => {
    const rule: Partial<Rule> = {
      require: {
        multipart: {
          fields: { kind: { equals: "report" } },
          files: { types: ["text/csv"], name: { matches: "[a-z0-9-]+\\.csv" }, maxCount: 1 },
        },
      },
    };
    assert.equal(
      told(rule, multipart(field("kind", "report"), field("n", "1"), file("file", "a-1.csv", "text/csv", "a,b\r\n--y\r\n"))),
      "allowed",
    );
    assert.equal(told(rule, multipart(field("kind", "report"))), "allowed");
    for (const body of [
      multipart(field("kind", "other")),
      multipart(file("file", "a.csv", "text/csv")),
      multipart(field("kind", "report"), file("file", "a.exe", "text/csv")),
      multipart(field("kind", "report"), file("file", "a.csv", "application/x-msdownload")),
      multipart(field("kind", "report"), file("file", "../a.csv", "text/csv")),
      multipart(field("kind", "report"), file("a", "a.csv", "text/csv"), file("b", "b.csv", "text/csv")),
    ])
      assert.equal(told(rule, body), because, String(body.body));
    const block: Partial<Rule> = { block: { multipart: { files: { name: { matches: ".*\\.pem" } } } } };
    assert.equal(told(block, multipart(file("a", "ok.txt", "text/plain"), file("b", "key.pem", "text/plain"))), because);
    assert.equal(told(block, multipart(file("a", "ok.txt", "text/plain"))), "allowed");
  });

  it("blocks a multipart form that two readers take for different ones", () => {
    const rule: Partial<Rule> = { block: { multipart: { fields: { kind: { equals: "bad" } } } } };
    const good = field("kind", "ok");
    const as = (body: string, type = "multipart/form-data; boundary=x") => post(body, type);
    for (const sketch of [
      as(`preamble\r\n${good}--x--\r\n`),
      as(`${good}--x--\r\ntrailing ${field("kind", "bad")}`),
      as(good),
      as(`${good}--x--`.replaceAll("\r\n", "\n")),
      multipart(good, field("kind", "bad").replace("kind", "Kind")),
      multipart(good, good),
      multipart(good, field("_charset_", "utf-16")),
      post(
        Buffer.concat([Buffer.from(good), Buffer.from(field("n", "\u00ff"), "latin1"), Buffer.from("--x--")]),
        "multipart/form-data; boundary=x",
      ),
      multipart(part('Content-Disposition: form-data; name="kind"\r\nContent-Disposition: form-data; name="other"', "bad")),
      multipart(part('Content-Disposition: form-data; name="other"; name="kind"', "bad")),
      multipart(part("Content-Disposition: form-data; name=kind", "bad")),
      multipart(part("Content-Disposition: form-data; name*=utf-8''kind", "bad")),
      multipart(part('Content-Disposition: form-data;\r\n name="kind"', "bad")),
      multipart(part('Content-Disposition: form-data; name="ki\\"nd"', "bad")),
      multipart(part('Content-Disposition: form-data; name="kind"\r\nContent-Transfer-Encoding: base64', "YmFk")),
      multipart(part("Content-Type: text/plain", "bad")),
      multipart(field("a", '1\n--x\nContent-Disposition: form-data; name="kind"\n\nbad')),
      multipart(good, file("kind", "a", "text/plain", "bad")),
      as(`${good}--x--\r\n`, "multipart/form-data; boundary=x; boundary=y"),
      as(`${good}--x--\r\n`, "multipart/form-data"),
      as(`${good}--x--\r\n`, "multipart/mixed; boundary=x"),
      as(`${good}--x--\r\n`, 'multipart/form-data; boundary="x y"'),
    ])
      assert.match(told(rule, sketch), /^it must be looked at/, String(sketch.body));
    assert.equal(told(rule, multipart(good)), "allowed");
    assert.equal(told(rule, as(`${good}--x--`)), "allowed");
    assert.equal(told(rule, multipart(field("kind", "bad"))), because);
  });
});
