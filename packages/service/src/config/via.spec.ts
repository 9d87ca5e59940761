import assert from "node:assert/strict";
import { parseConfig } from "./load.ts";

const parse = (via: string) =>
  parseConfig(`version: 1\ntrustDomain: x.internal\nproxy: { via: ${via} }\n`, "/etc/sallyport.yaml").proxy?.via;

describe("a proxy of the network's own, in the configuration", () => {
  it("is a scheme, a host and a port, with its credentials by reference", () => {
    assert.deepEqual(parse('{ proxy: "https://proxy.internal:3128", ca: ca.pem, username: env:U, password: file:p }'), {
      proxy: { scheme: "https", host: "proxy.internal", port: 3128 },
      ca: "/etc/ca.pem",
      username: "env:U",
      password: "file:/etc/p",
    });
    assert.deepEqual(parse('{ proxy: "socks5://[::1]:1080" }')?.proxy, { scheme: "socks5", host: "::1", port: 1080 });
  });

  for (const [wrong, why] of [
    ['{ proxy: "http://u:p@proxy.internal:3128" }', /no user name/],
    ['{ proxy: "http://proxy.internal" }', /host and port/],
    ['{ proxy: "socks4://proxy.internal:1080" }', /socks5/],
    ['{ proxy: "http://proxy.internal:3128", username: env:U }', /both a user name and a password/],
    ['{ proxy: "http://proxy.internal:3128", ca: ca.pem }', /no TLS/],
    ['{ proxy: "http://proxy.internal:3128", username: u, password: p }', /must be a reference/],
  ] as const)
    it(`refuses ${wrong}`, () => assert.throws(() => parse(wrong), why));
});
