import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { Refusal } from "@sallyport/contracts";
import { certificateFor } from "./certificates.fixture.ts";
import { Egress, type EgressOptions } from "./index.ts";

const setting = "targets.orders-api.network";
const loopback = ["127.0.0.0/8"];

describe("a connection out", () => {
  const servers: TcpServer[] = [];
  const egresses: Egress[] = [];
  const seen: string[] = [];

  const listen = async (server: TcpServer | Server, host = "127.0.0.1"): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return (server.address() as AddressInfo).port;
  };
  const http = (answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end("hello")) =>
    listen(
      createServer((request, response) => {
        seen.push(`${request.headers.host}${request.url}`);
        answer(request, response);
      }),
    );
  const out = (options: Partial<EgressOptions> = {}) => {
    const egress = new Egress({ allow: [], setting, connectTimeoutMs: 2000, ...options });
    egresses.push(egress);
    return egress;
  };
  /** A name service whose answers change with each question. */
  const answering = (...answers: string[][]) => {
    let asked = 0;
    return Object.assign(async () => answers[Math.min(asked++, answers.length - 1)] ?? [], { asked: () => asked });
  };

  afterEach(async () => {
    seen.length = 0;
    await Promise.all(egresses.splice(0).map((egress) => egress.close()));
    for (const server of servers.splice(0)) {
      (server as Server).closeAllConnections?.();
      server.close();
    }
  });

  describe("PROX-17: names whose answers change or mix", () => {
    it("dials the address that was checked, and asks once", async () => {
      const port = await http();
      const resolve = answering(["127.0.0.1"], ["169.254.169.254"]);
      const answer = await out({ allow: loopback, resolve }).fetch(`http://r.test:${port}/a`);
      assert.equal(answer.body.toString(), "hello");
      assert.deepEqual(seen, [`r.test:${port}/a`]);
      assert.equal(resolve.asked(), 1);
    });

    it("judges anew for each new connection", async () => {
      const port = await http((_, response) => response.setHeader("connection", "close").end("hello"));
      const egress = out({ allow: loopback, resolve: answering(["127.0.0.1"], ["127.0.0.1", "169.254.169.254"]) });
      await egress.fetch(`http://r.test:${port}/`);
      await refused(egress.fetch(`http://r.test:${port}/`), /r\.test resolves to 169\.254\.169\.254, a link-local/);
      assert.equal(seen.length, 1);
    });

    it("refuses an answer in which one address may not be dialled", async () => {
      for (const bad of ["::1", "127.0.0.1", "10.1.2.3", "169.254.169.254", "::ffff:10.0.0.1", "fe80::1%eth0"]) {
        await refused(out({ resolve: answering(["1.1.1.1", bad]) }).connect({ host: "r.test", port: 1 }));
      }
    });

    it("refuses a name that leads to a metadata service, and says what it found", async () => {
      const egress = out({ allow: ["169.254.0.0/16"], resolve: answering(["169.254.169.254"]) });
      await refused(
        egress.connect({ host: "metadata.internal", port: 80 }),
        /metadata\.internal resolves to 169\.254\.169\.254.*never connected to/,
      );
    });

    it("names the host, the address and the setting to add", async () => {
      const error = await refused(out({ resolve: answering(["10.0.0.5"]) }).connect({ host: "orders.internal", port: 443 }));
      assert.equal(
        error.message,
        "orders.internal resolves to 10.0.0.5, a private address: it may be reached only where it is listed. Add 10.0.0.5/32 to targets.orders-api.network if this is meant.",
      );
      assert.equal(error.metadata.effect, "none");
    });

    it("leaves the other loopback of localhost out where one is listed", async () => {
      const port = await http();
      const answer = await out({ allow: loopback, resolve: answering(["::1", "127.0.0.1"]) }).fetch(`http://localhost:${port}/`);
      assert.equal(answer.status, 200);
    });

    it("tries the next address where the first takes no connection", async () => {
      const port = await http();
      const answer = await out({ allow: loopback, resolve: answering(["127.0.0.9", "127.0.0.1"]) }).fetch(`http://r.test:${port}/`);
      assert.equal(answer.status, 200);
    });
  });

  describe("PROX-19: Sallyport's own doors", () => {
    it("are not reached by name, by address or by another spelling, though loopback is listed", async () => {
      const port = await http();
      const own = () => [{ host: "127.0.0.1", port }];
      for (const host of ["127.0.0.1", "gateway.test", "0x7f.1", "[::ffff:127.0.0.1]"]) {
        await refused(
          out({ allow: loopback, own, resolve: answering(["127.0.0.1"]) }).fetch(`http://${host}:${port}/`),
          /door of Sallyport itself/,
        );
      }
      const wildcard = () => [{ host: "0.0.0.0", port }];
      await refused(out({ allow: loopback, own: wildcard }).fetch(`http://127.4.4.4:${port}/`), /door of Sallyport itself/);
      const named = () => [{ host: "pdp.internal", port: 7445 }];
      await refused(
        out({ own: named, resolve: answering(["1.1.1.1"]) }).connect({ host: "PDP.internal", port: 7445 }),
        /door of Sallyport itself/,
      );
      assert.deepEqual(seen, []);
    });

    it("do not keep a neighbour on another port from being reached", async () => {
      const port = await http();
      const answer = await out({ allow: loopback, own: () => [{ host: "0.0.0.0", port: port + 1 }] }).fetch(`http://127.0.0.1:${port}/`);
      assert.equal(answer.status, 200);
    });
  });

  describe("PROX-33: one dialler for every kind of connection", () => {
    const addresses = [
      "http://[::ffff:169.254.169.254]/",
      "http://10.0.0.5/",
      "https://10.0.0.5/",
      "http://2852039166/",
      "http://0/",
      "http://localhost:9/",
    ];

    it("refuses the same address alike, raw, over the dispatcher and in fetch", async () => {
      const egress = out({ resolve: answering(["127.0.0.1"]) });
      const dispatcher = egress.dispatcher();
      for (const url of addresses) {
        const { hostname, protocol } = new URL(url);
        const raw = await refused(egress.connect({ host: hostname, port: 9, tls: protocol === "https:" }));
        const fetched = await refused(egress.fetch(url));
        const dispatched = await refused(dispatcher.request({ origin: new URL(url).origin, path: "/", method: "GET" }));
        assert.deepEqual([fetched.message, dispatched.message], [raw.message, raw.message]);
      }
      await dispatcher.destroy();
    });

    it("refuses it at the end of a redirect as well", async () => {
      for (const url of addresses.filter((url) => url.startsWith("http:"))) {
        const port = await http((_, response) => response.writeHead(302, { location: url.replace("localhost", "10.0.0.6") }).end());
        await refused(out({ allow: loopback }).fetch(`http://127.0.0.1:${port}/`, { redirects: 3 }));
      }
    });

    it("reaches what is listed, and what the operator runs without a list", async () => {
      const port = await http();
      assert.equal((await out({ allow: ["127.0.0.1/32"] }).fetch(`http://127.0.0.1:${port}/`)).status, 200);
      const infra = Egress.infra({ setting: "state" });
      egresses.push(infra);
      (await infra.connect({ host: "127.0.0.1", port })).destroy();
      await refused(infra.connect({ host: "169.254.169.254", port: 80 }), /never connected to/);
    });
  });

  describe("fetch", () => {
    it("gives a redirect back where none is asked to be followed, and follows as many as it is told", async () => {
      const port = await http((request, response) =>
        request.url === "/end" ? response.end("end") : response.writeHead(307, { location: "/end" }).end(),
      );
      const egress = out({ allow: loopback });
      assert.equal((await egress.fetch(`http://127.0.0.1:${port}/`)).status, 307);
      assert.equal((await egress.fetch(`http://127.0.0.1:${port}/`, { redirects: 1 })).body.toString(), "end");
      assert.equal((await egress.fetch(`http://127.0.0.1:${port}/`, { redirects: 1, method: "POST", body: "x" })).status, 307);
    });

    it("takes no credential to another origin", async () => {
      const got: (string | undefined)[] = [];
      const other = await http((request, response) => {
        got.push(request.headers.authorization, request.headers["x-vault-token"] as string | undefined, request.headers.accept);
        response.end();
      });
      const port = await http((_, response) => response.writeHead(302, { location: `http://127.0.0.1:${other}/` }).end());
      const headers = { Authorization: "Bearer x", "x-vault-token": "y", accept: "a/b" };
      await out({ allow: loopback }).fetch(`http://127.0.0.1:${port}/`, { redirects: 1, headers });
      assert.deepEqual(got, [undefined, undefined, "a/b"]);
    });

    it("is bounded in size and in time", async () => {
      const long = await http((_, response) => response.end("x".repeat(5000)));
      await refused(
        out({ allow: loopback }).fetch(`http://127.0.0.1:${long}/`, { maxBodyBytes: 4999 }),
        /longer than 4999 bytes/,
        "TARGET_UNAVAILABLE",
      );
      assert.equal((await out({ allow: loopback }).fetch(`http://127.0.0.1:${long}/`, { maxBodyBytes: 5000 })).body.length, 5000);
      const silent = await http(() => undefined);
      await refused(
        out({ allow: loopback }).fetch(`http://127.0.0.1:${silent}/`, { timeoutMs: 100 }),
        /within 0.1 s/,
        "TARGET_UNAVAILABLE",
      );
      const drip = await http((_, response) => void response.write("x"));
      await refused(out({ allow: loopback }).fetch(`http://127.0.0.1:${drip}/`, { timeoutMs: 100 }), /within 0.1 s/, "TARGET_UNAVAILABLE");
    });

    it("fetches http and https only, and no address with a password in it", async () => {
      for (const url of ["file:///etc/passwd", "data:text/plain,x", "ftp://1.1.1.1/", "http://a:b@1.1.1.1/", "nonsense"])
        await refused(out().fetch(url));
    });
  });

  describe("that cannot be made", () => {
    it("is unavailable, with what to look at", async () => {
      const server = createTcpServer();
      const port = await listen(server);
      await new Promise((resolve) => server.close(resolve));
      await refused(
        out({ allow: loopback }).connect({ host: "127.0.0.1", port }),
        /takes no connection \(ECONNREFUSED\)/,
        "TARGET_UNAVAILABLE",
      );
      const missing = async () => {
        throw Object.assign(new Error("secret detail"), { code: "ENOTFOUND" });
      };
      await refused(
        out({ resolve: missing }).connect({ host: "no.test", port: 1 }),
        /"no\.test" cannot be resolved \(ENOTFOUND\)/,
        "TARGET_UNAVAILABLE",
      );
      await refused(out({ resolve: answering([]) }).connect({ host: "no.test", port: 1 }), /cannot be resolved/, "TARGET_UNAVAILABLE");
    });

    it("is given up at the bound, also by a name service that never answers", async () => {
      const hung = () => new Promise<string[]>(() => undefined);
      await refused(
        out({ resolve: hung, connectTimeoutMs: 80 }).connect({ host: "r.test", port: 1 }),
        /within 0.08 s/,
        "TARGET_UNAVAILABLE",
      );
      const port = await listen(createTcpServer());
      await refused(
        out({ allow: loopback, connectTimeoutMs: 80 }).connect({ host: "127.0.0.1", port, tls: true }),
        /within 0.08 s/,
        "TARGET_UNAVAILABLE",
      );
    });

    it("is given up with the caller's own reason when the caller cancels", async () => {
      const signal = AbortSignal.abort(new Refusal("CREDENTIAL_REVOKED", "revoked"));
      await refused(out({ allow: loopback }).connect({ host: "127.0.0.1", port: 1, signal }), /revoked/, "CREDENTIAL_REVOKED");
    });

    it("is given up before it begins, and what the name service says of it afterwards is nobody's error", async () => {
      const signal = AbortSignal.abort(new Refusal("CANCELLED", "gone"));
      const late = Promise.withResolvers<string[]>();
      const unheard: unknown[] = [];
      const hear = (error: unknown) => unheard.push(error);
      const others = process.listeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection").on("unhandledRejection", hear);
      try {
        await refused(out({ resolve: () => late.promise }).connect({ host: "r.test", port: 1, signal }), /gone/, "CANCELLED");
        late.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }));
        await new Promise((resolve) => setTimeout(resolve, 20));
        assert.deepEqual(unheard, []);
      } finally {
        process.off("unhandledRejection", hear);
        for (const other of others) process.on("unhandledRejection", other);
      }
    });
  });

  describe("by TLS", () => {
    const secure = async (name: string, kind: "dns" | "ip") => {
      const names: (string | false | null | undefined)[] = [];
      const pair = await certificateFor(name, kind);
      const server = createTlsServer(pair, (_, response) => response.end("secure"));
      server.on("secureConnection", (socket) => names.push(socket.servername));
      return { port: await listen(server), ca: pair.cert, names };
    };

    it("proves the host of the URL, by name or by address", async () => {
      const named = await secure("orders.test", "dns");
      const egress = out({ allow: loopback, ca: named.ca, resolve: answering(["127.0.0.1"]) });
      const headers = { host: "evil.test" };
      assert.equal((await egress.fetch(`https://orders.test:${named.port}/`, { headers })).body.toString(), "secure");
      assert.deepEqual(named.names, ["orders.test"]);
      const numbered = await secure("127.0.0.1", "ip");
      assert.equal((await out({ allow: loopback, ca: numbered.ca }).fetch(`https://127.0.0.1:${numbered.port}/`)).status, 200);
    });

    it("refuses another host's certificate and one that nobody vouches for", async () => {
      const { port, ca } = await secure("other.test", "dns");
      const options = { allow: loopback, resolve: answering(["127.0.0.1"]) };
      await refused(
        out({ ...options, ca }).fetch(`https://orders.test:${port}/`),
        /could not prove by TLS.*ERR_TLS_CERT_ALTNAME_INVALID/,
        "TARGET_UNAVAILABLE",
      );
      await refused(out(options).fetch(`https://other.test:${port}/`), /could not prove by TLS.*SELF_SIGNED/, "TARGET_UNAVAILABLE");
    });
  });
});

async function refused(call: Promise<unknown>, sentence = /./, reason = "DESTINATION_NOT_ALLOWED"): Promise<Refusal> {
  const error = await call.then(
    () => assert.fail("was not refused"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Refusal, String(error));
  assert.equal(error.reason, reason, error.message);
  assert.match(error.message, sentence);
  return error;
}
