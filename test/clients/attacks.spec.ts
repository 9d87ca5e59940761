import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { TLSSocket } from "node:tls";
import zlib from "node:zlib";
import { readEvidence, settledEvidence } from "../faults/evidence-log.ts";
import { type EchoTarget, startEcho } from "./echo-target.ts";
import { newCanary, type ProxySite, proxySite } from "./proxy-site.ts";
import { RawTool } from "./raw-tool.ts";

describe("attacks on the proxy, and what hardening must not break", () => {
  const canary = newCanary();
  let echo: EchoTarget;
  let plain: EchoTarget;
  let other: EchoTarget;
  let site: ProxySite;
  let tool: RawTool;
  before(async function () {
    this.timeout(60_000);
    echo = await startEcho("api.a.test", canary, { routes: packed });
    plain = await startEcho("plain.a.test", canary, { plain: true });
    // Of nobody's configuration: wants nothing and gets nothing.
    other = await startEcho("one.away.test", "x", { plain: true, address: "127.0.0.2" });
    const allow = [
      "GET /anything",
      "POST /anything",
      "DELETE /anything",
      "GET /v1/stream",
      "GET /packed/{how}",
      "POST /upload",
      "GET /v1/heartbeat",
    ];
    site = await proxySite(
      canary,
      {
        echo: { server: echo, allow: [...allow, "GET /{package}", "GET /{package}/-/{file}", "HEAD /anything"] },
        // On the same address, so that only names tell them apart.
        "other-name": { server: { ...echo, host: "b.test" }, allow },
        plain: { server: plain, allow },
      },
      { proxy: { pass: ["rebound.test:81", `*.away.test:${other.port}`], network: ["127.0.0.2/32"] } },
    );
    tool = await RawTool.start(site);
  });
  after(async () => {
    await tool?.stop();
    await site?.stop();
    await Promise.all([echo?.stop(), plain?.stop(), other?.stop()]);
  });
  beforeEach(() => {
    echo.reached.length = 0;
    plain.reached.length = 0;
    other.reached.length = 0;
  });
  const host = () => `api.a.test:${echo.port}`;
  const head = (line: string, ...headers: string[]) => `${[line, `Host: ${host()}`, ...headers].join("\r\n")}\r\n\r\n`;
  const get = (path = "/anything", ...headers: string[]) => head(`GET ${path} HTTP/1.1`, ...headers);
  /** One request, or what looks like one, on a connection of its own to the target. */
  const send = async (bytes: string, answers?: number) => tool.exchange(await tool.to("api.a.test", echo.port), bytes, answers);
  const reasonOf = (text: string) => /"reason":"([A-Z_]+)"/.exec(text)?.[1];

  describe("the door", () => {
    it("is for client certificates of agents: without one there is no connection", async () => {
      const socket = await tool.door(null).catch(() => undefined);
      const text = socket === undefined ? "" : (await tool.exchange(socket, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")).text;
      assert.equal(text, "");
    });

    it("wants the credential that is bound to the certificate of the connection", async () => {
      const thief = await RawTool.start(site, "thief");
      try {
        const socket = await thief.door();
        const { text } = await thief.exchange(
          socket,
          `GET http://plain.a.test:${plain.port}/anything HTTP/1.1\r\nHost: plain.a.test:${plain.port}\r\n${tool.authorization}\r\n`,
        );
        assert.equal(reasonOf(text), "PROOF_INVALID");
        for (const authorization of [
          "",
          "Proxy-Authorization: Bearer x\r\n",
          "Proxy-Authorization: Basic eDp5\r\n",
          `${thief.authorization}${thief.authorization}`,
        ]) {
          const { text } = await thief.exchange(
            await thief.door(),
            `CONNECT ${host()} HTTP/1.1\r\nHost: ${host()}\r\n${authorization}\r\n`,
          );
          assert.match(text, /^HTTP\/1\.1 40[01] /);
        }
      } finally {
        await thief.stop();
      }
      assert.equal(echo.reached.length + plain.reached.length, 0);
    });

    it("looks at revocation for each request in a tunnel that stands", async () => {
      const child = await RawTool.start(site, "revoked");
      const socket = await child.to("api.a.test", echo.port);
      assert.match((await child.exchange(socket, get())).text, /^HTTP\/1\.1 200/);
      await child.agent.end();
      const { text } = await child.exchange(socket, get());
      assert.match(text, /^HTTP\/1\.1 401/);
      assert.equal(reasonOf(text), "CREDENTIAL_REVOKED");
      assert.equal(echo.reached.length, 1);
    });
  });

  describe("PROX-01: names that disagree", () => {
    it("reach nothing, in any permutation; the one where all agree reaches its target", async function () {
      this.timeout(120_000);
      const names = ["api.a.test", "b.test", "evil.test"];
      for (const connect of names) {
        for (const server of names) {
          for (const named of names) {
            const { socket, answer } = await tool.tunnel(`${connect}:${echo.port}`);
            const allAgree = connect === "api.a.test" && server === connect && named === connect;
            if (connect === "evil.test") assert.match(answer, /^HTTP\/1\.1 403 /);
            else {
              const secure = await tool.secure(socket, server).catch(() => undefined);
              assert.equal(secure !== undefined, server === connect);
              if (secure !== undefined) {
                const { text } = await tool.exchange(secure, `GET /anything HTTP/1.1\r\nHost: ${named}:${echo.port}\r\n\r\n`);
                // The other name agrees with itself, and is not who answers there: its certificate says so.
                const expected = allAgree ? "200" : named === connect ? "502" : "400";
                assert.ok(text.startsWith(`HTTP/1.1 ${expected}`), `${connect} ${server} ${named}: ${text.slice(0, 60)}`);
              }
            }
            socket.destroy();
          }
        }
      }
      assert.equal(echo.reached.length, 1);
    });

    it("in absolute-form, user info, two Hosts, a Host without the port, or CONNECT with another Host", async () => {
      for (const request of [
        `GET https://b.test:${echo.port}/anything HTTP/1.1\r\nHost: ${host()}\r\n\r\n`,
        `GET http://${host()}/anything HTTP/1.1\r\nHost: ${host()}\r\n\r\n`,
        `GET https://${host()}@evil.test/anything HTTP/1.1\r\nHost: ${host()}\r\n\r\n`,
        `GET /anything HTTP/1.1\r\nHost: ${host()}\r\nHost: evil.test\r\n\r\n`,
        `GET /anything HTTP/1.1\r\nHost: api.a.test\r\n\r\n`,
        `GET /anything HTTP/1.1\r\nHost: x@${host()}\r\n\r\n`,
        `GET /anything HTTP/1.1\r\nHost: ${host()}, evil.test\r\n\r\n`,
        "GET /anything HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /anything HTTP/1.1\r\n\r\n",
        `GET //evil.test/anything HTTP/1.1\r\nHost: ${host()}\r\n\r\n`,
        `OPTIONS * HTTP/1.1\r\nHost: ${host()}\r\n\r\n`,
        `CONNECT ${host()} HTTP/1.1\r\nHost: ${host()}\r\n\r\n`,
      ]) {
        const { text } = await send(request);
        assert.doesNotMatch(text, /^HTTP\/1\.1 200/, request);
      }
      const socket = await tool.door();
      const { text } = await tool.exchange(socket, `CONNECT ${host()} HTTP/1.1\r\nHost: b.test:${echo.port}\r\n${tool.authorization}\r\n`);
      assert.equal(reasonOf(text), "INVALID_REQUEST");
      assert.equal(echo.reached.length, 0);
      const same = await send(`GET https://${host()}/anything HTTP/1.1\r\nHost: API.A.test:${echo.port}\r\n\r\n`);
      assert.match(same.text, /^HTTP\/1\.1 200/);
    });

    it("in HTTP/2: authority, Host and scheme", async () => {
      const socket = await tool.to("api.a.test", echo.port, ["h2"]);
      const session = connectHttp2(`https://${host()}`, { createConnection: () => socket });
      const status = async (headers: Record<string, string>) => {
        const stream = session.request(headers);
        stream.resume();
        const [answer] = (await Promise.race([once(stream, "response"), once(stream, "close").then(() => [{ ":status": 0 }])])) as [
          { ":status": number },
        ];
        return answer[":status"];
      };
      assert.equal(await status({ ":path": "/anything", ":authority": `b.test:${echo.port}` }), 400);
      assert.equal(await status({ ":path": "/anything", ":authority": host(), host: "evil.test" }), 400);
      assert.equal(await status({ ":path": "/anything", ":authority": host(), ":scheme": "http" }), 400);
      assert.equal(await status({ ":path": "//evil.test/", ":authority": host() }), 400);
      assert.equal(echo.reached.length, 0);
      assert.equal(await status({ ":path": "/anything", ":authority": host() }), 200);
      session.destroy();
    });
  });

  it("PROX-05: what comes twice is refused where one of them could count alone; query parameters arrive as they were judged", async () => {
    for (const twice of [
      ["X-Tenant: mine", "X-Tenant: other"],
      ["Content-Type: application/json", "content-type: text/plain"],
      ["Sallyport-Target: echo", "Sallyport-Target: plain"],
      ["Cookie: a=1", "Cookie: a=2"],
    ]) {
      const { text } = await send(get("/anything", ...twice));
      assert.match(text, /^HTTP\/1\.1 400/, String(twice[0]));
    }
    assert.equal(echo.reached.length, 0);
    assert.match((await send(get("/anything?id=1&id=2", "X-Tenant: mine"))).text, /^HTTP\/1\.1 200/);
    assert.equal(echo.reached[0]?.url, "/anything?id=1&id=2");
  });

  describe("PROX-07: smuggling", () => {
    it("a DELETE with chunks, and two requests one behind the other, are each one request", async () => {
      const { text } = await send(
        `${head("DELETE /anything HTTP/1.1", "Transfer-Encoding: chunked")}5;name=value\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n${get("/anything?second")}`,
        2,
      );
      assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 2);
      assert.deepEqual(
        echo.reached.map(({ method, url, body }) => [method, url, body.toString()]),
        [
          ["DELETE", "/anything", "hello"],
          ["GET", "/anything?second", ""],
        ],
      );
    });

    it("an h2c upgrade is a plain request, and its settings stay here", async () => {
      const { text } = await send(
        get("/anything", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
      );
      assert.match(text, /^HTTP\/1\.1 200/);
      assert.ok(!JSON.stringify(echo.reached[0]?.rawHeaders).match(/upgrade|http2-settings/i));
    });
  });

  it("PROX-09: what Connection names is the tool's own, and the agent's credential ends at the proxy", async () => {
    const { text } = await send(
      get(
        "/anything",
        "Connection: close, Authorization, X-Sallyport-Request-Id, Host",
        "Authorization: Bearer mine",
        "X-Sallyport-Request-Id: forged",
        `Proxy-Authorization: Bearer ${tool.agent.proof.token}`,
        "Proxy-Connection: keep-alive",
        "TE: trailers",
        "Keep-Alive: timeout=5",
      ),
    );
    assert.match(text, /^HTTP\/1\.1 200/);
    const headers = echo.reached[0]?.rawHeaders ?? [];
    assert.equal(headers[headers.findIndex((name) => /^authorization$/i.test(name)) + 1], `Bearer ${canary}`);
    assert.ok(
      !headers.some((header) => header.includes(tool.agent.proof.token.slice(0, 40)) || /proxy-|forged|^te$|keep-alive: /i.test(header)),
    );
    // On a request that is passed without a secret too.
    const door = await tool.door();
    await tool.exchange(
      door,
      `GET http://one.away.test:${other.port}/x HTTP/1.1\r\nHost: one.away.test:${other.port}\r\n${tool.authorization}\r\n`,
    );
    assert.equal(other.reached.length, 1);
    for (const { rawHeaders } of other.reached) assert.ok(!rawHeaders.some((header) => /proxy-authorization/i.test(header)));
  });

  it("a session that the target opens for the secret's holder stays with the broker", async () => {
    const { text } = await send(get());
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.doesNotMatch(text, /set-cookie|of-the-secret/i);
    assert.match((await send(get("/anything", "Cookie: session=of-the-secret"))).text, /^HTTP\/1\.1 400/);
  });

  describe("PROX-11: WebSockets", () => {
    it("are refused with their reason where GET alone is listed, for HTTP/1.1 and HTTP/2", async () => {
      const { text } = await send(
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
      const socket = await tool.to("api.a.test", echo.port, ["h2"]);
      const session = connectHttp2(`https://${host()}`, { createConnection: () => socket });
      await once(session, "remoteSettings");
      assert.equal(session.remoteSettings.enableConnectProtocol ?? false, false);
      session.destroy();
      assert.equal(echo.reached.length, 0);
    });
  });

  it("PROX-15: packed answers are unpacked in bounds and masked, or cut; never passed", async function () {
    this.timeout(60_000);
    for (const how of Object.keys(packings)) {
      const { text, closed } = await send(get(`/packed/${how}`));
      const body = text.slice(text.indexOf("\r\n\r\n") + 4);
      assert.ok(!text.includes(canary) && !text.includes(Buffer.from(canary).toString("base64").slice(4, 24)), how);
      if (["members", "deflate", "wrapped"].includes(how)) assert.match(body, /\[sallyport:prod\/orders\/read#token\]/, how);
      else assert.ok(closed && !body.endsWith("0\r\n\r\n"), `${how}: ${body.slice(0, 100)}`);
    }
    const bomb = zlib.gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const { text } = await send(
      `${head("POST /upload HTTP/1.1", "Content-Encoding: gzip", `Content-Length: ${bomb.length}`)}${bomb.toString("latin1")}`,
    );
    assert.doesNotMatch(text, /^HTTP\/1\.1 200/);
  });

  it("PROX-15: a request's body that comes packed is judged and sent plain", async () => {
    const body = zlib.gzipSync('{"hello":"there"}');
    const socket = await tool.to("api.a.test", echo.port);
    socket.write(
      head("POST /anything HTTP/1.1", "Content-Type: application/json", "Content-Encoding: gzip", `Content-Length: ${body.length}`),
    );
    const { text } = await tool.exchange(socket, body);
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.equal(echo.reached[0]?.body.toString(), '{"hello":"there"}');
    assert.ok(!echo.reached[0]?.rawHeaders.some((name) => /^content-encoding$/i.test(name)));
    // Not even by a body that overrides the method once it is unpacked.
    const override = zlib.gzipSync("_method=DELETE");
    const again = await tool.to("api.a.test", echo.port);
    again.write(
      head(
        "POST /anything HTTP/1.1",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Encoding: gzip",
        `Content-Length: ${override.length}`,
      ),
    );
    assert.match((await tool.exchange(again, override)).text, /^HTTP\/1\.1 400/);
  });

  it("PROX-17: a destination that is passed is dialled where it may be, whatever its name says", async () => {
    // Its name is this machine, whose range is not listed.
    const { answer } = await tool.tunnel("rebound.test:81");
    assert.match(answer, /^HTTP\/1\.1 403/);
    assert.equal(reasonOf(answer), "DESTINATION_NOT_ALLOWED");
  });

  it("PROX-27: no other method than the one that is judged", async () => {
    for (const request of [
      head("POST /anything HTTP/1.1", "X-HTTP-Method-Override: DELETE", "Content-Length: 0"),
      head("POST /anything HTTP/1.1", "X-Method-Override: DELETE", "Content-Length: 0"),
      head("POST /anything HTTP/1.1", "X-HTTP-Method: DELETE", "Content-Length: 0"),
      head("POST /anything?_method=DELETE HTTP/1.1", "Content-Length: 0"),
      `${head("POST /anything HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 14")}_method=DELETE`,
      head("get /anything HTTP/1.1"),
      head("TRACE /anything HTTP/1.1"),
    ]) {
      const { text } = await send(request);
      assert.match(text, /^HTTP\/1\.1 400/, request.slice(0, 60));
    }
    assert.equal(echo.reached.length, 0);
    assert.match((await send(head("DELETE /anything HTTP/1.1"))).text, /^HTTP\/1\.1 200/);
  });

  it("PROX-29: a range is not asked for, so the whole answer is masked; a heartbeat of a byte is not held back", async () => {
    const { text } = await send(get("/anything", "Range: bytes=0-5", 'If-Range: "1"'));
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.match(text, /sallyport:prod\/orders\/read#token/);
    assert.ok(!echo.reached[0]?.rawHeaders.some((name) => /range/i.test(name)));
    const socket = await tool.to("api.a.test", echo.port);
    socket.write(get("/v1/heartbeat"));
    const beats: number[] = [];
    socket.on("data", (piece: Buffer) => /^1\r\n\./m.test(piece.toString()) && beats.push(Date.now()));
    await tool.read(socket);
    assert.equal(beats.length, 5);
    for (const [at, beat] of beats.entries()) assert.ok(at === 0 || beat - (beats[at - 1] as number) < 400);
  });

  describe("PROX-31: what hardening must not break", () => {
    it("scoped packages: an encoded slash arrives byte for byte", async () => {
      assert.match((await send(get("/@acme%2fwidget"))).text, /^HTTP\/1\.1 200/);
      assert.match((await send(get("/@acme%2Fwidget/-/w-1.tgz"))).text, /^HTTP\/1\.1 200/);
      assert.deepEqual(
        echo.reached.map(({ url }) => url),
        ["/@acme%2fwidget", "/@acme%2Fwidget/-/w-1.tgz"],
      );
    });

    it("a destination without a secret that configuration passes: as it is, and on record", async () => {
      const passed = (more = "") =>
        `GET http://one.away.test:${other.port}/a%252Fb?x=[1] HTTP/1.1\r\nHost: one.away.test:${other.port}\r\n${tool.authorization}Range: bytes=0-9\r\n${more}\r\n`;
      const door = await tool.door();
      assert.match((await tool.exchange(door, passed())).text, /^HTTP\/1\.1 401/);
      assert.equal(other.reached[0]?.url, "/a%252Fb?x=[1]");
      const headers = other.reached[0]?.rawHeaders ?? [];
      assert.ok(headers.includes("bytes=0-9") && !headers.some((header) => header.includes(canary)));
      // A request that comes back the way it went is not sent round again.
      const via = headers[headers.findIndex((name) => /^via$/i.test(name)) + 1] as string;
      assert.equal(reasonOf((await tool.exchange(door, passed(`Via: 1.0 else, ${via}\r\n`))).text), "DESTINATION_NOT_ALLOWED");
      const { socket, answer } = await tool.tunnel(`two.away.test:${other.port}`);
      assert.match(answer, /^HTTP\/1\.1 200/);
      assert.match(
        (await tool.exchange(socket, "GET /in-a-tunnel HTTP/1.1\r\nHost: what-ever\r\nConnection: close\r\n\r\n")).text,
        /^HTTP\/1\.1 401/,
      );
      assert.deepEqual(
        other.reached.map(({ url }) => url),
        ["/a%252Fb?x=[1]", "/in-a-tunnel"],
      );
      await settledEvidence(site.log);
      const passes = readEvidence(site.log).filter(({ metadata }) => metadata.event_code === "proxy.pass");
      assert.ok(passes.filter(({ status }) => status === "Success").length >= 2);
      assert.ok(passes.some(({ unmapped }) => Number(unmapped.sallyport.details?.bytes_in) > 0));
    });

    it("nothing else is: another port, the name above, a name that ends alike", async () => {
      for (const authority of [
        `one.away.test:${other.port + 1}`,
        `away.test:${other.port}`,
        `xaway.test:${other.port}`,
        `one.away.test.:${other.port}`,
      ]) {
        const { answer } = await tool.tunnel(authority);
        assert.match(answer, /^HTTP\/1\.1 403/, authority);
      }
    });
  });

  describe("limits", () => {
    it("a head that is too long, or has too many lines", async () => {
      assert.match((await send(get("/anything", `X-A: ${"a".repeat(40_000)}`))).text, /^HTTP\/1\.1 400/);
      assert.match((await send(get("/anything", ...Array.from({ length: 70 }, (_, n) => `X-${n}: a`)))).text, /^HTTP\/1\.1 400/);
      assert.equal(echo.reached.length, 0);
    });

    it("something else in a tunnel than what its target speaks", async () => {
      const { socket: bare } = await tool.tunnel(host());
      assert.equal((await tool.exchange(bare, get())).text, "");
      assert.equal(echo.reached.length, 0);
    });

    it("streams of one connection, and headers of one stream", async () => {
      const socket = (await tool.to("api.a.test", echo.port, ["h2"])) as TLSSocket;
      const session = connectHttp2(`https://${host()}`, { createConnection: () => socket });
      await once(session, "remoteSettings");
      assert.equal(session.remoteSettings.maxConcurrentStreams, 128);
      assert.equal(session.remoteSettings.maxHeaderListSize, 32 * 1024);
      session.destroy();
    });
  });

  it("and after all of it the proxy serves as before", async () => {
    assert.match((await send(get())).text, /^HTTP\/1\.1 200/);
    const door = await tool.door();
    const plainly = await tool.exchange(
      door,
      `GET http://plain.a.test:${plain.port}/anything HTTP/1.1\r\nHost: plain.a.test:${plain.port}\r\n${tool.authorization}\r\n`,
    );
    assert.match(plainly.text, /sallyport:prod\/orders\/read#token/);
    const reverse = await tool.exchange(door, `GET /t/echo/anything HTTP/1.1\r\nHost: ${site.proxy}\r\n${tool.authorization}\r\n`);
    assert.match(reverse.text, /^HTTP\/1\.1 200/);
    const nowhere = await tool.exchange(door, `GET /t/no-such/anything HTTP/1.1\r\nHost: ${site.proxy}\r\n${tool.authorization}\r\n`);
    assert.equal(reasonOf(nowhere.text), "DENIED_BY_POLICY");
  });

  const packings: Record<string, () => [coding: string, body: Buffer]> = {
    members: () => ["gzip", Buffer.concat([zlib.gzipSync("first "), zlib.gzipSync(canary)])],
    deflate: () => ["deflate", zlib.deflateSync(`deflated ${canary}`)],
    wrapped: () => ["gzip, br", zlib.brotliCompressSync(zlib.gzipSync(`twice ${canary}`))],
    "not-packed": () => ["gzip", Buffer.from(`plain ${canary}`)],
    truncated: () => ["br", zlib.brotliCompressSync(`${"cut ".repeat(1000)}${canary}`).subarray(0, 20)],
    unknown: () => ["compress", Buffer.from(canary)],
    bomb: () => ["gzip", zlib.gzipSync(Buffer.alloc(128 * 1024 * 1024))],
    thrice: () => ["gzip, gzip, gzip", zlib.gzipSync(zlib.gzipSync(zlib.gzipSync(canary)))],
  };

  function packed(
    { url }: { url?: string | undefined },
    answer: { setHeader(name: string, value: string): unknown; end(body: Buffer): unknown },
  ): boolean {
    const how = /^\/packed\/(.*)$/.exec(url ?? "")?.[1];
    const packing = how === undefined ? undefined : packings[how];
    if (packing === undefined) return false;
    const [coding, body] = packing();
    answer.setHeader("content-encoding", coding);
    answer.end(body);
    return true;
  }
});
