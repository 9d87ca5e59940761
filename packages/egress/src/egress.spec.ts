import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Refusal } from "@sallyport/contracts";
import { canonicalAddress, Egress, fetchBounded, restricted } from "./index.ts";

const refusedAs = (reason: string) => (error: unknown) => error instanceof Refusal && error.reason === reason;
const answering = (addresses: string[]) => async () => addresses;

describe("the guarded dialler", () => {
  it("PROX-33 refuses every spelling of an internal address, with the same reason", async () => {
    for (const host of [
      "169.254.169.254",
      "[::ffff:169.254.169.254]",
      "10.0.0.5",
      "127.0.0.1",
      "[::1]",
      "[64:ff9b::a00:5]",
      "[2002:a00:5::1]",
      "0.0.0.0",
      "[fe80::1]",
      "[fd00::1]",
      "100.64.0.1",
    ]) {
      const url = new URL(`http://${host}/`);
      await assert.rejects(
        new Egress({ name: "target t" }).connect({ host: url.hostname, port: 80 }),
        refusedAs("DESTINATION_NOT_ALLOWED"),
        host,
      );
    }
    // Hosts that only look unusual are made usual by URL parsing, and judged then.
    for (const host of ["0x7f000001", "2130706433", "0177.0.0.1", "127.1"]) {
      await assert.rejects(
        new Egress({ name: "t" }).connect({ host: new URL(`http://${host}/`).hostname, port: 80 }),
        refusedAs("DESTINATION_NOT_ALLOWED"),
        host,
      );
    }
  });

  it("PROX-17 judges every address of a name, asks once, and dials what it judged", async () => {
    let asked = 0;
    const rebinding = new Egress({
      name: "t",
      connectTimeoutMs: 50,
      resolve: async () => (asked++ === 0 ? ["203.0.113.10"] : ["127.0.0.1"]),
    });
    await assert.rejects(rebinding.connect({ host: "r.test", port: 1 }), refusedAs("DESTINATION_NOT_ALLOWED")); // documentation range: reserved
    assert.equal(asked, 1);
    for (const addresses of [["8.8.8.8", "::1"], ["127.0.0.1"], ["169.254.169.254"]]) {
      await assert.rejects(
        new Egress({ name: "t", resolve: answering(addresses) }).connect({ host: "r.test", port: 80 }),
        refusedAs("DESTINATION_NOT_ALLOWED"),
      );
    }
  });

  it("dials a listed range, by its name, and nothing beside it", async () => {
    const server = createServer((request, answer) => void answer.end(request.headers.host));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const egress = new Egress({ name: "t", allow: ["127.0.0.1/32"], resolve: answering(["127.0.0.1"]) });
      const answer = await fetchBounded(egress.dispatcher(), `http://orders.test:${port}/`);
      assert.equal(answer.body.toString(), `orders.test:${port}`);
      await assert.rejects(
        new Egress({ name: "t", allow: ["127.0.0.1/32"], resolve: answering(["127.0.0.2"]) }).connect({ host: "x.test", port }),
        refusedAs("DESTINATION_NOT_ALLOWED"),
      );
      const own = new Egress({ name: "t", allow: ["127.0.0.0/8"], ownPorts: () => new Set([port]) });
      await assert.rejects(own.connect({ host: "127.0.0.1", port }), refusedAs("DESTINATION_NOT_ALLOWED"));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("says what could not be reached, in time", async () => {
    const egress = new Egress({ name: "target orders-api", allow: ["127.0.0.0/8"] });
    await assert.rejects(
      egress.connect({ host: "127.0.0.1", port: 1 }),
      (error: Error) => refusedAs("TARGET_UNAVAILABLE")(error) && /target orders-api/.test(error.message),
    );
  });

  it("sees through what carries an IPv4 address, and leaves public ones alone", () => {
    assert.equal(restricted(canonicalAddress("::ffff:10.1.2.3")), "private");
    assert.equal(restricted(canonicalAddress("::7f00:1")), "loopback");
    assert.equal(restricted(canonicalAddress("8.8.8.8")), undefined);
    assert.equal(restricted(canonicalAddress("2606:4700::1111")), undefined);
    assert.throws(() => canonicalAddress("fe80::1%eth0"));
  });
});
