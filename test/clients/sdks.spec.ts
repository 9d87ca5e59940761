import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describeWith } from "../support/describe-with.ts";
import { describeWithTools, tools } from "../support/it-with.ts";
import { signedAws } from "../support/servers/signed-aws.ts";
import { type EchoTarget, type Routes, startEcho } from "./echo-target.ts";
import { newCanary, type ProxySite, proxySite } from "./proxy-site.ts";

const tool = (name: string) => fileURLToPath(new URL(`tools/${name}`, import.meta.url));

describeWithTools([tools.bubblewrap], "OpenAI's client by sallyport run", function () {
  this.timeout(60_000);
  const canary = newCanary();
  let llm: EchoTarget;
  let site: ProxySite;
  const pieces = ["I ", "am ", canary.slice(0, 7), canary.slice(7, 19), canary.slice(19), ", of course", "."];
  const routes: Routes = async ({ url }, answer, body) => {
    if (url === "/v1/models") {
      answer.setHeader("content-type", "application/json");
      answer.end(JSON.stringify({ object: "list", data: [{ id: `local-${canary}`, object: "model" }] }));
      return true;
    }
    assert.equal(JSON.parse(body.toString()).stream, true);
    answer.setHeader("content-type", "text/event-stream");
    for (const content of pieces) {
      answer.write(
        `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta: { content } }] })}\n\n`,
      );
      await sleep(60);
    }
    answer.end("data: [DONE]\n\n");
    return true;
  };
  before(async () => {
    llm = await startEcho("llm.a.test", canary, { routes });
    site = await proxySite(canary, { llm: { server: llm, allow: ["POST /v1/chat/completions", "GET /v1/models"] } });
  });
  after(async () => {
    await site?.stop();
    await llm?.stop();
  });

  it("streams an answer whose deltas hold the key in pieces: masked, and as it comes; by the proxy and at a base URL", async () => {
    const { code, stdout, stderr } = await site.run([process.execPath, tool("openai.mjs"), `https://llm.a.test:${llm.port}/v1`]);
    assert.equal(code, 0, stderr);
    const masked = "[sallyport:prod/orders/read#token]";
    const expected = { text: `I am ${masked}, of course.`, deltas: pieces.length, models: [`local-${masked}`], early: true };
    assert.deepEqual(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
      [expected, expected],
    );
    assert.equal(llm.reached.length, 4);
    for (const { rawHeaders } of llm.reached) assert.ok(!rawHeaders.includes("Bearer unused"));
  });
});

describeWith("AWS's client for S3 by sallyport run, at an S3 that checks signatures (moto)", { aws: signedAws }, ({ aws }) => {
  const canary = newCanary();
  let site: ProxySite;
  before(async function () {
    this.timeout(60_000);
    const { address, accessKeyId, secretAccessKey } = aws();
    site = await proxySite(
      canary,
      {
        s3: {
          server: { host: "127.0.0.1", port: Number(new URL(address).port), ca: undefined },
          allow: ["PUT /{bucket}", "PUT /{bucket}/", "GET /{bucket}", "GET /{bucket}/", "PUT /{bucket}/{key+}", "GET /{bucket}/{key+}"],
          more: { inject: { sigv4: { accessKeyId: "id", secretAccessKey: "key", service: "s3", region: "us-east-1" } } },
        },
      },
      { fields: { id: accessKeyId, key: secretAccessKey } },
    );
  });
  after(() => site?.stop());

  it("puts, lists and gets with keys that are good for nothing; what the target does not list is refused", async function () {
    this.timeout(60_000);
    const { code, stdout, stderr } = await site.run([process.execPath, tool("s3.mjs")]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { keys: ["2026/a b.txt"], same: true, note: "mine", refused: 403 });
  });
});
