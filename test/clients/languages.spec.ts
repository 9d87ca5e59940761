import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeWithTools, itWith, tools } from "../support/it-with.ts";
import { type EchoTarget, startEcho } from "./echo-target.ts";
import { newCanary, type ProxySite, proxySite } from "./proxy-site.ts";

const tool = (name: string) => fileURLToPath(new URL(`tools/${name}`, import.meta.url));

describeWithTools([tools.bubblewrap], "HTTP clients of languages by sallyport run", function () {
  this.timeout(90_000);
  const canary = newCanary();
  let echo: EchoTarget;
  let site: ProxySite;
  before(async () => {
    echo = await startEcho("api.a.test", canary);
    site = await proxySite(canary, {
      echo: { server: echo, allow: ["GET /anything", "POST /anything", "GET /v1/stream", "GET /v1/trailers"] },
    });
  });
  after(async () => {
    await site?.stop();
    await echo?.stop();
  });
  const url = () => `https://api.a.test:${echo.port}`;
  const masked = "Bearer [sallyport:prod/orders/read#token]";
  const works = ({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }, answers: number) => {
    assert.equal(code, 0, stderr);
    assert.equal(stdout.split(masked).length - 1, answers, stdout);
    assert.match(stdout, /"body":"\{\\"order\\":\s?42\}"/);
    assert.match(stdout, /events 5/);
    assert.ok(!`${stdout}${stderr}`.includes(canary));
  };

  it("Node: fetch and node:https, and a base URL instead of a proxy", async () => {
    works(await site.run([process.execPath, tool("fetch.mjs"), url()]), 3);
    assert.ok(!echo.reached.some(({ rawHeaders }) => rawHeaders.includes("Bearer unused")));
  });

  itWith([tools.requests], "Python: requests and urllib", async () => {
    const ran = await site.run(["python3", tool("http_clients.py"), url()]);
    works(ran, 2);
    assert.match(ran.stdout, /403 DESTINATION_NOT_ALLOWED/);
  });

  itWith([tools.go], "Go: net/http, by HTTP/2", async () => {
    const binary = join(site.folder, "tool");
    const built = spawnSync("go", ["build", "-o", binary, tool("main.go")], {
      encoding: "utf8",
      env: { ...process.env, GOFLAGS: "-mod=mod", GO111MODULE: "off" },
    });
    assert.equal(built.status, 0, built.stderr);
    const ran = await site.run([binary, url()]);
    works(ran, 1);
    assert.match(ran.stdout, /200 HTTP\/2\.0/);
    assert.match(ran.stdout, /trailer \[sallyport:prod\/orders\/read#token\]/);
  });
});
