import assert from "node:assert/strict";
import fc from "fast-check";
import { parseAddress } from "./address-class.ts";
import { AddressPolicy } from "./address-policy.ts";
import { canonicalHost } from "./host-name.ts";

const judge = (text: string, allow: string[] = [], all = false) => {
  const address = parseAddress(canonicalHost(text) ?? "");
  assert.ok(address, `${text} is an address`);
  return new AddressPolicy(allow, all).judge(address).allowed;
};

describe("which addresses may be dialled", () => {
  it("are the public ones where nothing is listed", () => {
    for (const text of ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]) assert.ok(judge(text), text);
  });

  it("are never link-local, metadata, multicast, no host's, or another address in disguise, whatever is listed", () => {
    const never = [
      ...[
        "169.254.169.254",
        "169.254.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "239.1.1.1",
        "255.255.255.255",
        "240.0.0.1",
        "100.100.100.200",
        "168.63.129.16",
      ],
      ...[
        "::",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "64:ff9b::a9fe:a9fe",
      ],
      ...["::7f00:1", "::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::", "::ffff:0:7f00:1", "64:ff9b:1::a00:1"],
    ];
    for (const text of never) {
      assert.ok(!judge(text), text);
      assert.ok(!judge(text, ["0.0.0.0/0", "::/0"]), `${text}, listed`);
      assert.ok(!judge(text, [], true), `${text}, for what the operator runs`);
    }
  });

  it("are somebody's own only where they are listed", () => {
    const listed: [string, string][] = [
      ["127.0.0.1", "127.0.0.0/8"],
      ["127.8.9.1", "127.0.0.0/8"],
      ["::1", "::1/128"],
      ["10.0.0.5", "10.0.0.0/8"],
      ["172.31.255.1", "172.16.0.0/12"],
      ["192.168.1.1", "192.168.1.0/24"],
      ["100.64.0.1", "100.64.0.0/10"],
      ["fd12:3456::1", "fd12:3456::/32"],
      ["203.0.113.10", "203.0.113.0/24"],
      ["198.18.0.1", "198.18.0.0/15"],
      ["::ffff:10.0.0.5", "10.0.0.0/8"],
      ["10.0.0.5", "::ffff:10.0.0.0/104"],
      ["64:ff9b::a00:5", "10.0.0.0/8"],
    ];
    for (const [text, range] of listed) {
      assert.ok(!judge(text), text);
      assert.ok(!judge(text, ["192.0.2.0/24"]), `${text}, another range listed`);
      assert.ok(judge(text, [range]), `${text} in ${range}`);
      if (!text.startsWith("64:")) assert.ok(judge(text, [], true), `${text}, for what the operator runs`);
    }
    assert.ok(judge("172.32.0.1"), "just outside of a private range");
  });

  it("are what an odd spelling means, not what it looks like", () => {
    for (const text of ["0177.0.0.1", "0x7f.1", "0x7f000001", "2130706433", "127.1", "127.0.0.1.", "[::ffff:7f00:1]", "１２７.0.0.1"]) {
      assert.ok(!judge(text), text);
      assert.ok(judge(text, ["127.0.0.0/8"]), `${text}, listed`);
    }
  });

  it("are not widened by wrapping: IPv4 in IPv6 is judged as that IPv4", () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        assert.equal(judge(`::ffff:${text}`), judge(text));
        if (!judge(text)) assert.ok(!judge(`64:ff9b::${text}`));
        assert.ok(!judge(`2002:${hex(text)}::1`));
      }),
    );
  });
});

const hex = (text: string) =>
  Buffer.from(text.split(".").map(Number))
    .toString("hex")
    .replace(/^(.{4})/, "$1:");

describe("a host", () => {
  it("is refused with a zone, credentials, a port or a path in it", () => {
    for (const text of [
      "fe80::1%eth0",
      "[fe80::1%25eth0]",
      "a@b.example",
      "a.example:80",
      "a.example/b",
      "",
      "a b",
      "a\\b",
      "%31.example",
      "1.2.3.4.5",
    ]) {
      assert.equal(canonicalHost(text), undefined, text);
    }
  });

  it("is kept as it is where it is plain", () => {
    for (const text of ["orders.internal", "xn--mller-kva.example", "10.0.0.5", "::1", "a_b.example"])
      assert.equal(canonicalHost(text), text);
    assert.equal(canonicalHost("Orders.Internal"), "orders.internal");
    assert.equal(canonicalHost("[::1]"), "::1");
  });
});
