import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer as createTcp, type Server } from "node:net";
import { createServer as createTls, type Server as TlsServer } from "node:tls";
import { createServer as createSocks } from "@pondwader/socks5-server";
import type { Refusal } from "@sallyport/contracts";
import { Server as HttpProxy } from "proxy-chain";
import { certificateFor } from "./certificates.fixture.ts";
import { Egress, type EgressOptions } from "./egress.ts";
import type { UpstreamProxy } from "./upstream-proxy.ts";

const credentials = { username: "sally", password: "port:with:colons" };

/** Proxies that others wrote, each of which wants a user name and password; and a destination that is reached by its name only. */
describe("a proxy of the network's own", function () {
  this.timeout(20_000);
  let destination: TlsServer;
  let ca: string;
  let http: HttpProxy;
  let https: Server;
  let httpsCa: string;
  let socks: Server;
  const asked: string[] = [];
  before(async () => {
    const certificate = await certificateFor("localhost", "dns");
    ca = certificate.cert;
    destination = createTls({ key: certificate.key, cert: certificate.cert }, (socket) => socket.on("error", () => undefined).end("hello"));
    destination.listen(0, "127.0.0.1");
    http = new HttpProxy({
      port: 0,
      host: "127.0.0.1",
      prepareRequestFunction: ({ username, password, hostname, port }) => {
        asked.push(`${hostname}:${port}`);
        return { requestAuthentication: username !== credentials.username || password !== credentials.password };
      },
    });
    await http.listen();
    const proxyCertificate = await certificateFor("localhost", "dns");
    httpsCa = proxyCertificate.cert;
    https = createTls({ key: proxyCertificate.key, cert: proxyCertificate.cert }, (socket) => {
      const plain = connectTcp(http.port, "127.0.0.1");
      socket
        .on("error", () => plain.destroy())
        .pipe(plain)
        .on("error", () => socket.destroy())
        .pipe(socket);
    });
    https.listen(0, "127.0.0.1");
    const socksServer = createSocks({ auth: credentials });
    socks = createTcp((socket) => void socksServer._handleConnection(socket.on("error", () => socket.destroy())));
    socks.listen(0, "127.0.0.1");
    await Promise.all([destination, https, socks].filter((server) => !server.listening).map((server) => once(server, "listening")));
  });
  after(async () => {
    destination.close();
    https.close();
    await http.close(true);
    socks.close();
  });
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  const proxies = (): Record<string, UpstreamProxy> => ({
    http: { scheme: "http", host: "127.0.0.1", port: http.port, credentials },
    https: { scheme: "https", host: "localhost", port: portOf(https), ca: httpsCa, credentials },
    socks5: { scheme: "socks5", host: "127.0.0.1", port: portOf(socks), credentials },
  });
  const egress = (via: UpstreamProxy, more: Partial<EgressOptions> = {}) =>
    new Egress({ allow: [], setting: "targets.t.network", ca, via, resolve: async () => assert.fail("the proxy resolves"), ...more });
  const hello = async (way: Egress, port = portOf(destination), host = "localhost") => {
    const socket = await way.connect({ host, port, tls: true });
    const [piece] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    return piece.toString();
  };
  const reason = (promise: Promise<unknown>) =>
    promise.then(
      () => assert.fail("it was connected"),
      (refusal: Refusal) => [refusal.reason, refusal.metadata.effect, refusal.message] as const,
    );

  for (const scheme of ["http", "https", "socks5"]) {
    it(`${scheme}: connects through it by name, with TLS to the destination's own certificate`, async () => {
      assert.equal(await hello(egress(proxies()[scheme] as UpstreamProxy)), "hello");
      if (scheme !== "socks5") assert.equal(asked.at(-1), `localhost:${portOf(destination)}`);
    });

    it(`${scheme}: says that the proxy refused, where the password is wrong, and shows it to nobody`, async () => {
      const via = { ...(proxies()[scheme] as UpstreamProxy), credentials: { username: "sally", password: "not-this-one" } };
      const [what, effect, sentence] = await reason(hello(egress(via)));
      assert.deepEqual([what, effect], ["TARGET_UNAVAILABLE", "none"]);
      assert.match(sentence, /check `via`/);
      assert.ok(!sentence.includes("not-this-one"));
    });

    it(`${scheme}: still verifies the destination, and refuses addresses that it would not dial itself`, async () => {
      const via = proxies()[scheme] as UpstreamProxy;
      assert.equal((await reason(hello(egress(via, { ca: httpsCa }))))[0], "TARGET_UNAVAILABLE");
      for (const host of ["169.254.169.254", "127.0.0.1", "[::ffff:10.0.0.1]"])
        assert.equal((await reason(egress(via).connect({ host, port: 80 })))[0], "DESTINATION_NOT_ALLOWED", host);
      const own = () => [{ host: "127.0.0.1", port: 7443 }];
      assert.equal((await reason(egress(via, { own }).connect({ host: "localhost", port: 7443 })))[0], "DESTINATION_NOT_ALLOWED");
    });
  }

  it("is known by its certificate, where it has one, and given up where it does not answer", async () => {
    const { https: secure, http: plain } = proxies() as { https: UpstreamProxy; http: UpstreamProxy };
    assert.equal((await reason(hello(egress({ ...secure, ca }))))[0], "TARGET_UNAVAILABLE");
    const silent = createTcp(() => undefined);
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const [what, , sentence] = await reason(hello(egress({ ...plain, port: portOf(silent) }, { connectTimeoutMs: 300 })));
    assert.deepEqual([what, /within 0.3 s/.test(sentence)], ["TARGET_UNAVAILABLE", true]);
    silent.close();
  });
});
