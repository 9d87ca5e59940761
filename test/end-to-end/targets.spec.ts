import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { scanFor } from "@sallyport/masking";
import type { Agent } from "@sallyport/sdk";
import { type Echo, startEchoTarget } from "../../services/broker/src/targets/echo-target.fixture.ts";
import { evidenceOnce, logLines, readEvidence } from "../faults/evidence-log.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import { refusalOf } from "../faults/told.ts";

const secret = "prod/orders/read";
const json = { "content-type": "application/json" };

describe("ways into a request, end to end", () => {
  let echo: Awaited<ReturnType<typeof startEchoTarget>>;
  let issuer: Server;
  let site: Site;
  let agent: Agent;
  let minted: string;
  let asked = 0;

  before(async function () {
    this.timeout(120_000);
    echo = await startEchoTarget();
    minted = `minted-${randomBytes(12).toString("hex")}`;
    issuer = createServer((request, response) => {
      request.resume().on("end", () => {
        asked++;
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ access_token: minted, token_type: "Bearer", expires_in: 600 }));
      });
    });
    await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
    const tokenUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/token`;
    site = await embeddedSite({
      configure: (config) => {
        const { targets } = config;
        config.dataMasking = {
          personal: [{ detect: ["card"], do: "mask" }],
          out: [{ detect: ["email"], do: "refuse" }],
        };
        const at = (settings: object) => ({
          kind: "http",
          baseUrl: `http://127.0.0.1:${echo.port}`,
          secret,
          network: ["127.0.0.0/8"],
          allow: ["GET", "POST"].map((method) => ({ method, path: "/v1/{rest+}" })),
          ...settings,
        });
        targets.basic = at({ inject: { basic: { user: "svc-orders-bot", password: "token" } } });
        targets.query = at({ inject: { query: { name: "api_key", field: "token" } } });
        targets.body = at({ inject: { body: { pointer: "/auth/token", field: "token" } } });
        targets.signed = at({ inject: { hmac: { field: "token", header: "X-Signature" } } });
        targets.oauth = at({ inject: { oauth: { tokenUrl, clientId: "orders-client", clientSecret: "token" } } });
        targets.filled = at({ placeholders: [{ header: "Authorization" }, { body: "/key" }] });
        targets.covered = at({ inject: { bearer: "token" }, dataMasking: { responses: ["personal"], requests: ["out"] } });
        targets.ruled = at({
          inject: { bearer: "token" },
          rules: [
            { preset: "no-callbacks" },
            {
              name: "small-refunds",
              require: { json: { "/cents": { max: 5000 } } },
              when: { methods: ["POST"] },
              because: "People refund more.",
            },
          ],
        });
      },
    });
    agent = await site.agent();
  });
  after(async () => {
    await site?.stop();
    echo?.stop();
    issuer?.close();
  });

  const use = async (target: string, how: { path?: string; method?: string; headers?: Record<string, string>; body?: string } = {}) => {
    const answer = await agent.use({ target, secret, path: "/v1/x", ...how });
    return { text: await answer.text(), eventUid: answer.eventUid };
  };

  it("nothing of the value, nor of what was made from it, comes back, though the target says all that it got", async () => {
    const seen: Record<string, string> = {};
    for (const target of ["basic", "query", "signed", "oauth"]) seen[target] = (await use(target)).text;
    seen.body = (await use("body", { method: "POST", headers: json, body: "{}" })).text;
    seen.filled = (
      await use("filled", {
        method: "POST",
        headers: { ...json, authorization: `Token [sallyport:${secret}#token]` },
        body: `{"key":"[sallyport:${secret}#token]"}`,
      })
    ).text;
    for (const [target, text] of Object.entries(seen)) {
      assert.deepEqual(scanFor(site.canary, Buffer.from(text)), [], target);
      assert.deepEqual(scanFor(minted, Buffer.from(text)), [], target);
    }
    const header = (text: string, name: string) => (JSON.parse(text) as Echo).headers.find(([other]) => other.toLowerCase() === name)?.[1];
    assert.match(header(seen.basic ?? "", "authorization") ?? "", /^Basic /);
    assert.ok(!seen.basic?.includes(Buffer.from("svc-orders-bot:").toString("base64").slice(4, 16)), "the user name is masked, too");
    assert.equal(header(seen.signed ?? "", "x-signature"), `[sallyport:${secret}#signature]`);
    assert.ok(!seen.signed?.includes(createHmac("sha256", site.canary).update("").digest("hex")));
    assert.equal(header(seen.oauth ?? "", "authorization"), `Bearer [sallyport:${secret}#access-token]`);
    assert.match(seen.query ?? "", /api_key=%5Bsallyport%3Aprod%2Forders%2Fread%23token%5D/);
    assert.match(header(seen.filled ?? "", "authorization") ?? "", /^Token \[sallyport:/);
    await use("oauth");
    assert.equal(asked, 1, "the token is kept");
  });

  it("a signature or token of one use is masked in what another use of the tree brings back", async () => {
    const first = createHmac("sha256", site.canary).update("first").digest("hex");
    await use("signed", { method: "POST", headers: { "content-type": "text/plain" }, body: "first" });
    const refused = await refusalOf(() => use("basic", { path: `/v1/x?was=${first}` }));
    assert.equal(refused.reason, "GUARDRAIL_BLOCKED");
    assert.equal(refused.metadata.rule, "secret-in-request");
  });

  it("a blocked export is on record with its rule, before anything reaches the target", async () => {
    const marker = "export-4711";
    const encoded = Buffer.from(`x${site.canary}`).toString("base64url");
    const refused = await refusalOf(() => use("basic", { path: `/v1/${marker}?q=${encoded}` }));
    assert.equal(refused.reason, "GUARDRAIL_BLOCKED");
    assert.ok(!refused.message.includes(site.canary));
    const outside = await refusalOf(() => use("basic", { path: `/v1/${marker}`, headers: { "x-note": `[sallyport:${secret}#token]` } }));
    assert.equal(outside.metadata.rule, "placeholder");
    const records = await evidenceOnce(
      site.log,
      "both",
      (all) =>
        all.filter(
          ({ status_code, unmapped }) => status_code === "GUARDRAIL_BLOCKED" && unmapped.sallyport.statement?.masked.includes(marker),
        ).length === 2,
    );
    const told = records.filter(
      ({ status_code, unmapped }) => status_code === "GUARDRAIL_BLOCKED" && unmapped.sallyport.statement?.masked.includes(marker),
    );
    assert.deepEqual(
      told.map(({ unmapped }) => unmapped.sallyport.details?.rule),
      ["secret-in-request", "placeholder"],
    );
    assert.ok(told.every(({ unmapped }) => unmapped.sallyport.details?.used_at_target !== true));
  });

  it("a guardrail rule blocks by name and sentence, on record, and leaves its benign twin alone", async () => {
    const refund = (body: object) => use("ruled", { method: "POST", path: "/v1/refunds", headers: json, body: JSON.stringify(body) });
    assert.equal(JSON.parse((await refund({ cents: 1999 })).text).body, '{"cents":1999}');
    const refused = await refusalOf(() => refund({ cents: 9999 }));
    assert.equal(refused.reason, "GUARDRAIL_BLOCKED");
    assert.equal(refused.message, 'Rule "small-refunds" at target "ruled" blocks this: People refund more.');
    assert.equal((await refusalOf(() => refund({ cents: 1, callback_url: "https://evil.example/" }))).metadata.rule, "no-callbacks");
    await evidenceOnce(site.log, "the rule", (all) => all.some(({ unmapped }) => unmapped.sallyport.details?.rule === "small-refunds"));
  });

  it("data-masking rules cover answers and stop requests; evidence has categories and counts", async () => {
    const card = "4242424242424242";
    const { text, eventUid } = await use("covered", {
      method: "POST",
      headers: json,
      body: `{"note":"${card}","order":"4242424242424241"}`,
    });
    assert.ok(text.includes("[masked:card]") && text.includes("4242424242424241") && !text.includes(card), text);
    const records = await evidenceOnce(site.log, "the finding", (all) =>
      all.some(({ unmapped }) => unmapped.sallyport.details?.data_found !== undefined),
    );
    assert.deepEqual(
      records.find(({ unmapped }) => unmapped.sallyport.details?.data_found !== undefined)?.unmapped.sallyport.details?.data_found,
      ["card=1"],
    );
    assert.ok(eventUid !== "");
    const refusal = await refusalOf(() => use("covered", { method: "POST", headers: json, body: `{"to":"alice@example.com"}` }));
    assert.equal(refusal.reason, "GUARDRAIL_BLOCKED");
    assert.match(refusal.message, /data-masking\/email.*the body holds/);
    assert.deepEqual(scanFor(card, Buffer.from(logLines(site.log).join("\n"))), []);
  });

  it("evidence, state and logs hold neither the value nor what was made from it", async () => {
    const signature = createHmac("sha256", site.canary).update("first").digest("hex");
    const evidence = Buffer.from(logLines(site.log).join("\n"));
    const state = readFileSync(join(site.dataDirs.broker, "state.db"));
    assert.ok(readEvidence(site.log).length > 10);
    for (const hidden of [site.canary, minted, signature]) {
      assert.deepEqual(scanFor(hidden, evidence), []);
      assert.equal(state.includes(hidden), false);
      assert.equal(state.includes(Buffer.from(hidden).toString("base64").slice(0, 20)), false);
    }
  });
});
