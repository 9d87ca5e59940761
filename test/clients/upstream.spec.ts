import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Server as HttpProxy } from "proxy-chain";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";
import { type EchoTarget, startEcho } from "./echo-target.ts";
import { newCanary, type ProxySite, proxySite } from "./proxy-site.ts";
import { RawTool } from "./raw-tool.ts";

describe("behind a proxy of the network's own", function () {
  this.timeout(60_000);
  const canary = newCanary();
  const asked: string[] = [];
  let folder: string;
  let corporate: HttpProxy;
  let echo: EchoTarget;
  let site: ProxySite;
  let tool: RawTool;
  before(async () => {
    folder = scratchFolder("upstream");
    echo = await startEcho("localhost", canary);
    corporate = new HttpProxy({
      port: 0,
      host: "127.0.0.1",
      prepareRequestFunction: ({ username, password, hostname, port }) => {
        asked.push(`${hostname}:${port}`);
        return { requestAuthentication: username !== "sally" || password !== "port" };
      },
    });
    await corporate.listen();
    const reference = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return `file:${join(folder, name)}`;
    };
    const proxy = `http://127.0.0.1:${corporate.port}`;
    const via = { proxy, username: reference("user", "sally"), password: reference("password", "port") };
    const allow = ["GET /anything"];
    site = await proxySite(
      canary,
      {
        // No address is listed: without the proxy this one could not be reached.
        echo: { server: echo, allow, more: { via, network: [] } },
        locked: {
          server: echo,
          allow: ["GET /locked"],
          more: { via: { ...via, password: reference("wrong", "not-this-one") }, network: [] },
        },
      },
      { proxy: { pass: [`127-0-0-1.localhost:${echo.port}`, "169.254.169.254:80"], via } },
    );
    tool = await RawTool.start(site);
  });
  after(async () => {
    await tool?.stop();
    await site?.stop();
    await echo?.stop();
    await corporate?.close(true);
    removeScratch(folder);
  });
  const get = async (path: string) =>
    (await tool.exchange(await tool.to("localhost", echo.port), `GET ${path} HTTP/1.1\r\nHost: localhost:${echo.port}\r\n\r\n`)).text;

  it("a target is reached through it, by name; the secret goes in TLS that it cannot read", async () => {
    const text = await get("/anything");
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.match(text, /sallyport:prod\/orders\/read#token/);
    assert.deepEqual(asked, [`localhost:${echo.port}`]);
    assert.ok(!echo.reached.some(({ rawHeaders }) => rawHeaders.some((name) => /^(?:proxy-|via)/i.test(name))));
  });

  it("one that wants another password is said so, and neither password is", async () => {
    const text = await get("/locked");
    assert.match(text, /^HTTP\/1\.1 502/);
    assert.match(text, /"TARGET_UNAVAILABLE".*The proxy on the way/);
    assert.ok(!/not-this-one/.test(text));
  });

  it("what is passed goes through it too; an address that is never dialled is not asked for there either", async () => {
    const before = asked.length;
    assert.match((await tool.tunnel("169.254.169.254:80")).answer, /^HTTP\/1\.1 403/);
    assert.equal(asked.length, before);
    const { answer } = await tool.tunnel(`127-0-0-1.localhost:${echo.port}`);
    assert.deepEqual(asked.slice(before), [`127-0-0-1.localhost:${echo.port}`]);
    assert.match(answer, /^HTTP\/1\.1 (?:200|502)/);
  });
});
