import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { describeWithTools, tools } from "../support/it-with.ts";
import { type EchoTarget, startEcho } from "./echo-target.ts";
import { newCanary, type ProxySite, proxySite } from "./proxy-site.ts";

const patient = fileURLToPath(new URL("tools/patient.mjs", import.meta.url));

describeWithTools([tools.bubblewrap], "a tool that runs for long", function () {
  this.timeout(60_000);
  const canary = newCanary();
  let echo: EchoTarget;
  let site: ProxySite | undefined;
  beforeEach(async () => {
    echo = await startEcho("api.a.test", canary);
  });
  afterEach(async () => {
    await site?.stop();
    site = undefined;
    await echo.stop();
  });
  const start = async (settings = {}) => {
    site = await proxySite(canary, { echo: { server: echo, allow: ["GET /anything", "GET /v1/stream"] } }, settings);
    return site;
  };
  const url = () => `https://api.a.test:${echo.port}`;

  it("goes on when its credential ends, as sallyport run renews it", async () => {
    const site = await start({ credentialSeconds: 6 });
    const { code, stdout, stderr } = await site.run([process.execPath, patient, url(), "9"]);
    assert.equal(code, 0, stderr);
    const { 200: answered, ...others } = JSON.parse(stdout);
    assert.deepEqual(others, {});
    assert.ok(answered > 8);
  });

  it("ends at once when its tree is revoked: what streams is cut, what comes after is refused", async () => {
    const site = await start();
    const sam = await site.person("sam", ["security"]);
    const running = site.run(["sh", "-c", `curl -sSN ${url()}/v1/stream; echo; curl -sS ${url()}/v1/stream`]);
    const until = Date.now() + 15_000;
    while (echo.reached.at(-1)?.url !== "/v1/stream" && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
    await sam.session.revocations.revoke({ subject: { case: "agent", value: site.agentId }, reason: "misbehaves" });
    const { stdout, stderr } = await running;
    assert.ok((stdout.match(/data:/g)?.length ?? 0) < 5, stdout);
    assert.match(`${stdout}${stderr}`, /CREDENTIAL_REVOKED/);
    assert.equal(echo.reached.filter(({ url }) => url === "/v1/stream").length, 1);
  });
});
