import assert from "node:assert/strict";
import { normalizeHtu } from "./index.ts";

describe("an htu", () => {
  it("is one with every spelling that RFC 3986 calls its equal", () => {
    for (const spelling of [
      "https://g.test/p",
      "HTTPS://g.test:443/p",
      "https://G.test:/p?x=1",
      "https://g.test/%70",
      "https://g.%54est/x/../p#f",
      "https://g.test/./p",
      "https://g.test/%2e%2E/p",
    ]) {
      assert.equal(normalizeHtu(spelling), "https://g.test/p", spelling);
    }
    assert.equal(normalizeHtu("http://h"), "http://h/");
    assert.equal(normalizeHtu("https://h/a%2fb"), "https://h/a%2Fb");
    assert.equal(normalizeHtu("https://h/%2570"), "https://h/%2570");
    assert.equal(normalizeHtu("https://[::1]:8443/a/b/.."), "https://[::1]:8443/a/");
  });

  it("is another where scheme, host, port, slash or case of the path differ", () => {
    for (const other of [
      "http://g.test/p",
      "https://g.test:8443/p",
      "https://g.test/p/",
      "https://g.test/P",
      "https://g.test.evil/p",
      "https://g.test//p",
    ]) {
      assert.notEqual(normalizeHtu(other), "https://g.test/p", other);
    }
  });

  it("that is no plain HTTP URI is none", () => {
    for (const bad of [
      "",
      "g.test/p",
      "https:///p",
      "https://u@g.test/p",
      "https://g.test\\p",
      "https://g.test/a b",
      "https://g.test/%zz",
      "https://g.test/\tp",
      "ftp://g/p",
    ]) {
      assert.equal(normalizeHtu(bad), undefined, bad);
    }
  });
});
