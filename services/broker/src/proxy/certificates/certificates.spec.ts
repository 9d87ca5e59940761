import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type TLSSocket } from "node:tls";
import { Authority } from "./authority.ts";
import { Leaves } from "./leaves.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const authorityFor = (hosts: readonly string[]) => Authority.load(privateKey, "example.internal", hosts, Date.now);

/** Whether a client that trusts `trusted` alone accepts a certificate for `host` that `issuer` made: what TLS itself says. */
async function accepts(trusted: Authority, issuer: Authority, host: string): Promise<true | string> {
  const { certificate, key } = await issuer.issue(host, 1);
  const server = createServer({ cert: certificate, key }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const socket: TLSSocket = connect({ host: "127.0.0.1", port, servername: /[a-z]/.test(host) ? host : "", ca: trusted.pem });
  try {
    await once(socket, "secureConnect");
    return true;
  } catch (error) {
    return (error as Error).message;
  } finally {
    socket.destroy();
    server.close();
  }
}

/** OpenSSL on a name that the CA may not speak for. */
const outside = /^(?:permitted|excluded) subtree violation$/;

describe("the proxy's certificate authority", () => {
  it("is believed for the hosts of the targets, by name and by address", async () => {
    const authority = await authorityFor(["api.a.test", "127.0.0.1"]);
    assert.equal(await accepts(authority, authority, "api.a.test"), true);
    assert.equal(await accepts(authority, authority, "127.0.0.1"), true);
  });

  it("is believed for no other name or address, whatever it signs", async () => {
    const authority = await authorityFor(["api.a.test"]);
    assert.match(String(await accepts(authority, authority, "bank.test")), outside);
    assert.match(String(await accepts(authority, authority, "127.0.0.1")), outside);
    const numbers = await authorityFor(["10.0.0.1", "fd00::1"]);
    assert.match(String(await accepts(numbers, numbers, "127.0.0.1")), outside);
    assert.match(String(await accepts(numbers, numbers, "bank.test")), outside);
  });

  it("is believed for each of very many hosts", async () => {
    for (const count of [1, 4, 20, 4000]) {
      const authority = await authorityFor([...Array.from({ length: count }, (_, n) => `host-${n}.a.test`), "last.test"]);
      assert.equal(await accepts(authority, authority, "last.test"), true, String(count));
      assert.match(String(await accepts(authority, authority, "bank.test")), outside);
    }
  });

  it("without any target is believed for nothing", async () => {
    const authority = await authorityFor([]);
    assert.match(String(await accepts(authority, authority, "bank.test")), outside);
    assert.match(String(await accepts(authority, authority, "127.0.0.1")), outside);
  });

  it("of one broker is as good as another's of the same installation, for the hosts that both serve", async () => {
    const [one, other] = await Promise.all([authorityFor(["api.a.test"]), authorityFor(["api.a.test", "b.test"])]);
    assert.equal(await accepts(one, other, "api.a.test"), true);
    // Told of before b.test was a target.
    assert.match(String(await accepts(one, other, "b.test")), outside);
  });

  it("issues leaves that live hours, keeps one a host, and renews it at half of its life", async () => {
    let now = Date.now();
    let issued = 0;
    const authority = await Authority.load(privateKey, "example.internal", ["a.test"], () => now);
    const leaf = new X509Certificate((await authority.issue("a.test", 12)).certificate);
    assert.ok(leaf.validToDate.getTime() - now <= 12 * 3_600_000);
    assert.equal(leaf.ca, false);
    const counting = {
      issue: (host: string, hours: number) => {
        issued++;
        return authority.issue(host, hours);
      },
    };
    const leaves = new Leaves(counting, () => now);
    await Promise.all([leaves.contextFor("a.test"), leaves.contextFor("a.test")]);
    assert.equal(issued, 1);
    now += 5 * 3_600_000;
    await leaves.contextFor("a.test");
    assert.equal(issued, 1);
    now += 2 * 3_600_000;
    await leaves.contextFor("a.test");
    assert.equal(issued, 2);
  });
});
