import assert from "node:assert/strict";
import { parseConfig } from "./load.ts";

const parse = (proxy: string) => parseConfig(`version: 1\ntrustDomain: x.internal\nproxy: ${proxy}\n`, "/sallyport.yaml").proxy;

describe("the proxy's configuration", () => {
  it("opens the door even where it is empty, and not where it is left out", () => {
    assert.deepEqual(parse("{}"), { pass: [], network: [] });
    assert.equal(parseConfig("version: 1\ntrustDomain: x.internal\n", "/sallyport.yaml").proxy, undefined);
  });

  it("names destinations as host:port, or below a domain", () => {
    assert.deepEqual(parse('{ pass: ["a.test:443", "*.b.test:8443", "[::1]:1", "10.0.0.1:80"] }')?.pass, [
      { host: "a.test", below: false, port: 443 },
      { host: "b.test", below: true, port: 8443 },
      { host: "[::1]", below: false, port: 1 },
      { host: "10.0.0.1", below: false, port: 80 },
    ]);
  });

  for (const wrong of [
    "a.test",
    "*:443",
    "*.:443",
    "A.test:443",
    "a.test:0",
    "a.test:65536",
    "*.10.0.0.1:80",
    "https://a.test:443",
    "a*.test:443",
    "*.*.test:443",
    "a..test:443",
  ]) {
    it(`refuses ${wrong}, which could mean more or something else`, () => {
      assert.throws(() => parse(`{ pass: ["${wrong}"] }`), /must be host:port/);
    });
  }
});
