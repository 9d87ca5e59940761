import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { TLSSocket } from "node:tls";
import zlib from "node:zlib";
import { readEvidence, settledEvidence } from "../../faults/evidence-log.ts";
import { Lab } from "./lab.ts";

describe("what the proxy passes, and what of it arrives", () => {
  let lab: Lab;
  before(async function () {
    this.timeout(60_000);
    lab = await Lab.start();
  });
  after(() => lab?.stop());
  beforeEach(() => lab.forget());
  const get = (path = "/anything", ...headers: string[]) => lab.head(`GET ${path}`, ...headers);

  describe("PROX-01: names", () => {
    it("reach nothing, in any permutation; the one where all agree reaches its target", async function () {
      this.timeout(120_000);
      const names = ["api.a.test", "b.test", "evil.test"];
      for (const connect of names) {
        for (const server of names) {
          for (const named of names) {
            const { socket, answer } = await lab.tool.tunnel(`${connect}:${lab.echo.port}`);
            const allAgree = connect === "api.a.test" && server === connect && named === connect;
            if (connect === "evil.test") assert.match(answer, /^HTTP\/1\.1 403 /);
            else {
              const secure = await lab.tool.secure(socket, server).catch(() => undefined);
              assert.equal(secure !== undefined, server === connect);
              if (secure !== undefined) {
                const { text } = await lab.tool.exchange(secure, `GET /anything HTTP/1.1\r\nHost: ${named}:${lab.echo.port}\r\n\r\n`);
                // The other name agrees with itself, and is not who answers there: its certificate says so.
                const expected = allAgree ? "200" : named === connect ? "502" : "400";
                assert.ok(text.startsWith(`HTTP/1.1 ${expected}`), `${connect} ${server} ${named}: ${text.slice(0, 60)}`);
              }
            }
            socket.destroy();
          }
        }
      }
      assert.equal(lab.echo.reached.length, 1);
    });

    it("in HTTP/2: each stream by its own; the connection serves on", async () => {
      const socket = await lab.tool.to("api.a.test", lab.echo.port, ["h2"]);
      const session = connectHttp2(`https://${lab.host}`, { createConnection: () => socket });
      const status = async (headers: Record<string, string>) => {
        const stream = session.request(headers);
        stream.resume();
        const [answer] = (await Promise.race([once(stream, "response"), once(stream, "close").then(() => [{ ":status": 0 }])])) as [
          { ":status": number },
        ];
        return answer[":status"];
      };
      assert.equal(await status({ ":path": "/anything", ":authority": `b.test:${lab.echo.port}` }), 400);
      assert.equal(await status({ ":path": "/anything", ":authority": lab.host, host: "evil.test" }), 400);
      assert.equal(await status({ ":path": "/anything", ":authority": lab.host, ":scheme": "http" }), 400);
      assert.equal(await status({ ":path": "//evil.test/", ":authority": lab.host }), 400);
      assert.equal(lab.echo.reached.length, 0);
      assert.equal(await status({ ":path": "/anything", ":authority": lab.host }), 200);
      session.destroy();
    });
  });

  it("PROX-05: query parameters arrive as they were judged", async () => {
    assert.match((await lab.inside(get("/anything?id=1&id=2", "X-Tenant: mine"))).text, /^HTTP\/1\.1 200/);
    assert.equal(lab.echo.reached[0]?.url, "/anything?id=1&id=2");
  });

  describe("PROX-07: smuggling", () => {
    it("a DELETE with chunks, and two requests one behind the other, are each one request", async () => {
      const { text } = await lab.tool.exchange(
        await lab.tool.to("api.a.test", lab.echo.port),
        `${lab.head("DELETE /anything", "Transfer-Encoding: chunked")}5;name=value\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n${get("/anything?second")}`,
        2,
      );
      assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 2);
      assert.deepEqual(
        lab.echo.reached.map(({ method, url, body }) => [method, url, body.toString()]),
        [
          ["DELETE", "/anything", "hello"],
          ["GET", "/anything?second", ""],
        ],
      );
    });

    it("an h2c upgrade is a plain request, and its settings stay here", async () => {
      const { text } = await lab.inside(
        get("/anything", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
      );
      assert.match(text, /^HTTP\/1\.1 200/);
      assert.ok(!JSON.stringify(lab.echo.reached[0]?.rawHeaders).match(/upgrade|http2-settings/i));
    });
  });

  it("PROX-09: what Connection names is the tool's own, and the agent's credential ends at the proxy", async () => {
    const { text } = await lab.inside(
      get(
        "/anything",
        "Connection: close, Authorization, X-Sallyport-Request-Id, Host",
        "Authorization: Bearer mine",
        "X-Sallyport-Request-Id: forged",
        `Proxy-Authorization: Bearer ${lab.tool.agent.proof.token}`,
        "Proxy-Connection: keep-alive",
        "TE: trailers",
        "Keep-Alive: timeout=5",
      ),
    );
    assert.match(text, /^HTTP\/1\.1 200/);
    const headers = lab.echo.reached[0]?.rawHeaders ?? [];
    assert.equal(headers[headers.findIndex((name) => /^authorization$/i.test(name)) + 1], `Bearer ${lab.canary}`);
    assert.ok(
      !headers.some(
        (header) => header.includes(lab.tool.agent.proof.token.slice(0, 40)) || /proxy-|forged|^te$|keep-alive: /i.test(header),
      ),
    );
    // On a request that is passed without a secret too.
    const authority = `one.away.test:${lab.elsewhere.port}`;
    await lab.door((authorization) => `GET http://${authority}/x HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
    assert.equal(lab.elsewhere.reached.length, 1);
    for (const { rawHeaders } of lab.elsewhere.reached) assert.ok(!rawHeaders.some((header) => /proxy-authorization/i.test(header)));
  });

  it("a session that the target opens for the secret's holder stays with the broker", async () => {
    const { text } = await lab.inside(get());
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.doesNotMatch(text, /set-cookie|of-the-secret/i);
  });

  describe("PROX-11: WebSockets", () => {
    it("are refused with their reason where GET alone is listed, for HTTP/1.1 and HTTP/2", async () => {
      const { text } = await lab.inside(
        get(
          "/anything",
          "Connection: Upgrade",
          "Upgrade: websocket",
          "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
      );
      assert.match(text, /^HTTP\/1\.1 403/);
      assert.match(text, /not configured for WEBSOCKET/);
      const socket = await lab.tool.to("api.a.test", lab.echo.port, ["h2"]);
      const session = connectHttp2(`https://${lab.host}`, { createConnection: () => socket });
      await once(session, "remoteSettings");
      assert.equal(session.remoteSettings.enableConnectProtocol ?? false, false);
      session.destroy();
      assert.equal(lab.echo.reached.length, 0);
    });
  });

  it("PROX-15: packed answers are unpacked and masked", async () => {
    for (const how of ["members", "deflate", "twice"]) {
      const { text } = await lab.inside(get(`/packed/${how}`));
      assert.ok(!text.includes(lab.canary) && !text.includes(Buffer.from(lab.canary).toString("base64").slice(4, 24)), how);
      assert.match(text.slice(text.indexOf("\r\n\r\n") + 4), /\[sallyport:prod\/orders\/read#token\]/, how);
    }
  });

  it("PROX-15: a request's body that comes packed is judged and sent plain", async () => {
    const body = zlib.gzipSync('{"hello":"there"}');
    const type = "Content-Type: application/json";
    const packed = lab.head("POST /anything", type, "Content-Encoding: gzip", `Content-Length: ${body.length}`);
    const { text } = await lab.inside(Buffer.concat([Buffer.from(packed), body]));
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.equal(lab.echo.reached[0]?.body.toString(), '{"hello":"there"}');
    assert.ok(!lab.echo.reached[0]?.rawHeaders.some((name) => /^content-encoding$/i.test(name)));
  });

  it("PROX-29: a range is not asked for, so the whole answer is masked; a heartbeat of a byte is not held back", async () => {
    const { text } = await lab.inside(get("/anything", "Range: bytes=0-5", 'If-Range: "1"'));
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.match(text, /sallyport:prod\/orders\/read#token/);
    assert.ok(!lab.echo.reached[0]?.rawHeaders.some((name) => /range/i.test(name)));
    const socket = await lab.tool.to("api.a.test", lab.echo.port);
    socket.write(get("/v1/heartbeat"));
    const beats: number[] = [];
    socket.on("data", (piece: Buffer) => /^1\r\n\./m.test(piece.toString()) && beats.push(Date.now()));
    await lab.tool.read(socket);
    assert.equal(beats.length, 5);
    for (const [at, beat] of beats.entries()) assert.ok(at === 0 || beat - (beats[at - 1] as number) < 400);
  });

  describe("PROX-31: what hardening must not break", () => {
    it("scoped packages: an encoded slash arrives byte for byte", async () => {
      assert.match((await lab.inside(get("/@acme%2fwidget"))).text, /^HTTP\/1\.1 200/);
      assert.match((await lab.inside(get("/@acme%2Fwidget/-/w-1.tgz"))).text, /^HTTP\/1\.1 200/);
      assert.deepEqual(
        lab.echo.reached.map(({ url }) => url),
        ["/@acme%2fwidget", "/@acme%2Fwidget/-/w-1.tgz"],
      );
    });

    it("a destination without a secret that configuration passes: as it is, and on record", async () => {
      const authority = `one.away.test:${lab.elsewhere.port}`;
      const { text } = await lab.door(
        (authorization) =>
          `GET http://${authority}/a%252Fb?x=[1] HTTP/1.1\r\nHost: ${authority}\r\n${authorization}Range: bytes=0-9\r\n\r\n`,
      );
      assert.match(text, /^HTTP\/1\.1 401/);
      assert.equal(lab.elsewhere.reached[0]?.url, "/a%252Fb?x=[1]");
      const headers = lab.elsewhere.reached[0]?.rawHeaders ?? [];
      assert.ok(headers.includes("bytes=0-9") && !headers.some((header) => header.includes(lab.canary)));
      const { socket, answer } = await lab.tool.tunnel(`two.away.test:${lab.elsewhere.port}`);
      assert.match(answer, /^HTTP\/1\.1 200/);
      assert.match(
        (await lab.tool.exchange(socket, "GET /in-a-tunnel HTTP/1.1\r\nHost: what-ever\r\nConnection: close\r\n\r\n")).text,
        /^HTTP\/1\.1 401/,
      );
      assert.deepEqual(
        lab.elsewhere.reached.map(({ url }) => url),
        ["/a%252Fb?x=[1]", "/in-a-tunnel"],
      );
      await settledEvidence(lab.site.log);
      const passes = readEvidence(lab.site.log).filter(({ metadata }) => metadata.event_code === "proxy.pass");
      assert.ok(passes.filter(({ status }) => status === "Success").length >= 2);
      assert.ok(passes.some(({ unmapped }) => Number(unmapped.sallyport.details?.bytes_in) > 0));
    });
  });

  describe("HTTP/2", () => {
    it("streams of one connection, and headers of one stream", async () => {
      const socket = (await lab.tool.to("api.a.test", lab.echo.port, ["h2"])) as TLSSocket;
      const session = connectHttp2(`https://${lab.host}`, { createConnection: () => socket });
      await once(session, "remoteSettings");
      assert.equal(session.remoteSettings.maxConcurrentStreams, 128);
      assert.equal(session.remoteSettings.maxHeaderListSize, 32 * 1024);
      session.destroy();
    });
  });
});
