import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { scanFor } from "@sallyport/masking";
import { tricks } from "../demo/hostile-api.ts";
import { logLines, settledEvidence } from "../faults/evidence-log.ts";
import { describeWithTools, tools } from "../support/it-with.ts";
import { type EchoTarget, startEcho } from "./echo-target.ts";
import { newCanary, type ProxySite, proxySite } from "./proxy-site.ts";

describeWithTools([tools.bubblewrap, tools.curl], "curl by sallyport run", () => {
  const canary = newCanary();
  let echo: EchoTarget;
  let site: ProxySite;
  before(async function () {
    this.timeout(60_000);
    echo = await startEcho("api.a.test", canary);
    site = await proxySite(canary, {
      echo: {
        server: echo,
        allow: [
          ...["GET /anything", "POST /anything", "GET /v1/echo/{trick}", "GET /v1/stream", "GET /v1/trailers", "POST /upload"],
          ...["PUT /upload", "GET /download", "HEAD /anything"],
        ],
        more: { maxBodyBytes: 5_000_000 },
      },
      "needs-approval": { server: echo, secret: "prod/orders/api", allow: ["POST /v1/refunds"] },
      forbidden: { server: echo, secret: "prod/payroll/db", allow: ["GET /v1/payroll"] },
    });
  });
  after(async () => {
    await site?.stop();
    await echo?.stop();
  });
  const url = (path: string) => `https://api.a.test:${echo.port}${path}`;
  const curl = (...args: string[]) => site.run(["curl", "-sS", "--max-time", "15", ...args]);

  for (const [version, flag] of [
    ["2", "--http2"],
    ["1.1", "--http1.1"],
  ] as const) {
    it(`HTTP/${version}: gets the target's answer with the secret masked`, async () => {
      const { code, stdout, stderr } = await curl(flag, "-w", "\n%{http_version} %{http_code}", url("/anything"));
      assert.equal(code, 0, stderr);
      assert.match(stdout, /Bearer \[sallyport:prod\/orders\/read#token\]/);
      assert.match(stdout, new RegExp(`\n${version.replace(".1", "\\.1")} 200$`));
      assert.ok(!stdout.includes(canary));
      assert.ok(echo.reached.at(-1)?.rawHeaders.includes(`Bearer ${canary}`));
    });
  }

  it("PROX-13: whatever way a hostile target gives the secret back, the tool does not get it", async function () {
    this.timeout(60_000);
    const urls = Object.keys(tricks).map((trick) => url(`/v1/echo/${trick}`));
    const { code, stdout, stderr } = await curl("-i", ...urls);
    assert.equal(code, 0, stderr);
    assert.equal(echo.reached.filter(({ url }) => url.startsWith("/v1/echo/")).length, urls.length);
    assert.deepEqual(scanFor(canary, Buffer.from(stdout)), []);
    // Whole, each of them: 200s, a redirect that is not followed, an error page.
    assert.equal(stdout.match(/HTTP\/2 \d+/g)?.length, urls.length);
    assert.doesNotMatch(stdout, /^(?:etag|content-length|content-encoding):/im);
  });

  it("has nothing secret in its environment, its arguments or its files, nor any way out but the proxy", async function () {
    this.timeout(60_000);
    const script = [
      "tr '\\0' '\\n' < /proc/self/environ",
      `cat ${site.home}/*.json 2>&1`,
      `ls ${site.folder}/data 2>&1 | wc -l`,
      // The broker's own door, and any other address, do not exist here.
      `curl -sS --noproxy '*' --max-time 2 https://${site.proxy}/ 2>&1`,
      `curl -sS --max-time 5 https://${site.endpoints.authn}/ 2>&1`,
      `curl -sS --max-time 5 ${url("/anything")}`,
    ].join("; echo ----; ");
    const { stdout, stderr } = await site.run(["sh", "-c", script]);
    const [environ = "", profile = "", dataFiles = "", direct = "", door = "", through = ""] = stdout.split("----\n");
    const saved = JSON.parse(readFileSync(`${site.home}/default.json`, "utf8"));
    assert.match(environ, /HTTPS_PROXY=http:\/\/127\.0\.0\.1:\d+\n/);
    for (const secret of [canary, saved.credential.token, saved.privateKey.slice(40, 80), "eyJ"]) assert.ok(!stdout.includes(secret));
    assert.match(profile, /No such file/);
    assert.equal(dataFiles.trim(), "0");
    assert.match(direct, /Failed to connect|refused/i);
    assert.match(door, /403/);
    assert.match(stderr, /DESTINATION_NOT_ALLOWED/);
    assert.match(through, /sallyport:prod\/orders\/read#token/);
  });

  it("shows its key and credential nowhere in /proc, even from outside, while it runs", async () => {
    const enough = `${site.folder}/seen`;
    const running = site.run(["sh", "-c", `while [ ! -e ${enough} ]; do sleep 0.1; done`]);
    let seen = 0;
    for (const until = Date.now() + 15_000; seen < 4 && Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 100))) {
      seen = 0;
      for (const text of processTexts()) {
        if (!text.includes("HTTPS_PROXY=http://127.0.0.1") && !text.includes("inside-namespace")) continue;
        seen++;
        assert.ok(!text.includes("eyJ") && !text.includes(canary) && !text.includes("PRIVATE KEY"));
      }
    }
    writeFileSync(enough, "");
    assert.ok(seen >= 4);
    assert.equal((await running).code, 0);
  });

  it("is told why policy denies, as JSON, and nothing reaches the target", async () => {
    const before = echo.reached.length;
    const { stdout } = await curl("-w", "\n%{http_code}", url("/v1/payroll"));
    const [body = "", status] = stdout.trim().split(/\n+/);
    assert.equal(status, "403");
    assert.equal(JSON.parse(body).error.reason, "DENIED_BY_POLICY");
    assert.match(JSON.parse(body).error.message, /may not use/);
    assert.equal(echo.reached.length, before);
  });

  it("is told that people must approve; the same call again, once they have, goes through, once", async function () {
    this.timeout(60_000);
    const call = ["-X", "POST", "-H", "content-type: application/json", "-d", '{"order":42}', url("/v1/refunds")];
    const alice = await site.person("bob", ["release-approvers"]);
    // The session of one run ends with it, so the tool waits and tries again by itself.
    const script = `for i in $(seq 30); do curl -sS -w '\\n%{http_code}\\n' ${call.map(quoted).join(" ")} | tee -a ${site.folder}/calls; grep -q '^200$' ${site.folder}/calls && break; sleep 0.5; done; curl -sS -w '\\n%{http_code}\\n' ${call.map(quoted).join(" ")}`;
    const running = site.run(["sh", "-c", script]);
    let approved = 0;
    for (const until = Date.now() + 20_000; approved === 0 && Date.now() < until; await new Promise((r) => setTimeout(r, 200))) {
      for (const { id, digest } of await alice.reviews()) {
        await alice.approve(id, digest, "fine");
        approved++;
      }
    }
    const { stdout } = await running;
    assert.equal(approved, 1);
    const answers = stdout.trim().split(/\n+/);
    assert.equal(JSON.parse(answers[0] as string).error.reason, "APPROVAL_REQUIRED");
    assert.ok(JSON.parse(answers[0] as string).error.metadata.access_request_id);
    assert.equal(answers[1], "403");
    assert.equal(answers.filter((line) => line === "200").length, 1);
    // Another one needs another approval.
    assert.equal(answers.at(-1), "403");
    assert.equal(echo.reached.filter(({ url }) => url === "/v1/refunds").length, 1);
  });

  it("streams: events come as they are sent, though masked", async () => {
    const { stdout, code } = await site.run([
      "sh",
      "-c",
      `curl -sSN ${url("/v1/stream")} | while read -r line; do echo "$(date +%s%3N) $line"; done`,
    ]);
    assert.equal(code, 0);
    const events = stdout.split("\n").flatMap((line) => {
      const [, at, json] = /^(\d+) data: (.*)$/.exec(line) ?? [];
      return at === undefined
        ? []
        : [{ at: Number(at), sent: JSON.parse(json as string).at as number, by: JSON.parse(json as string).by as string }];
    });
    assert.equal(events.length, 5);
    for (const { at, sent, by } of events) {
      assert.ok(at - sent < 450, `an event took ${at - sent} ms`);
      assert.equal(by, "[sallyport:prod/orders/read#token]");
    }
  });

  it("uploads more than fits a message, with and without a length, by both versions; and with Expect: 100-continue", async function () {
    this.timeout(60_000);
    const size = 3 * 1024 * 1024;
    const calls = [
      `head -c ${size} /dev/zero | curl -sS --http1.1 -T - ${url("/upload")}`,
      `head -c ${size} /dev/zero | curl -sS --http2 -T - ${url("/upload")}`,
      `head -c ${size} /dev/zero > big; curl -sS --http1.1 -X POST -H 'Expect: 100-continue' --data-binary @big ${url("/upload")}`,
      `curl -sS --http2 -X POST --data-binary @big ${url("/upload")}`,
    ];
    const { stdout, stderr } = await site.run(["sh", "-c", `cd ${site.folder}; ${calls.join("; echo; ")}`]);
    assert.deepEqual(stdout.trim().split("\n"), Array(4).fill(JSON.stringify({ bytes: size })), stderr);
    await settledEvidence(site.log);
    const uploads = logLines(site.log).filter((line) => line.includes(`"request_bytes":${size}`));
    assert.equal(uploads.length, 4);
    for (const line of uploads) assert.match(line, /"request_hash":"[0-9a-f]{64}"/);
  });

  it("refuses a body over the target's bound, declared or not", async function () {
    this.timeout(60_000);
    const script = [
      `head -c 6000000 /dev/zero > big; curl -sS -o /dev/null -w '%{http_code}\\n' --http1.1 -X POST --data-binary @big ${url("/upload")}`,
      `cat big | curl -sS -o /dev/null -w '%{http_code}\\n' --http1.1 -T - ${url("/upload")}`,
    ].join("; ");
    const { stdout } = await site.run(["sh", "-c", `cd ${site.folder}; ${script}`]);
    assert.deepEqual(stdout.trim().split("\n"), ["413", "413"]);
  });

  it("downloads, gets masked trailers, and asks for a head alone", async () => {
    const script = [
      `curl -sS ${url("/download")} | wc -c`,
      `curl -sS --http1.1 -o /dev/null -D - ${url("/v1/trailers")}`,
      `curl -sSI --suppress-connect-headers --http1.1 ${url("/anything")} | head -1`,
      `curl -sSI --suppress-connect-headers --http2 ${url("/anything")} | head -1`,
    ].join("; echo ----; ");
    const { stdout } = await site.run(["sh", "-c", script]);
    const [bytes, trailers = "", ...heads] = stdout.split("----\n");
    assert.equal(Number(bytes), 64 * 64 * 1024 + "[sallyport:prod/orders/read#token]".length);
    assert.match(trailers, /x-checksum: \[sallyport:prod\/orders\/read#token\]/i);
    assert.deepEqual(
      heads.map((line) => line.trim()),
      ["HTTP/1.1 200 OK", "HTTP/2 200"],
    );
  });

  it("passes the exit code and signals on, and says when a tool cannot be started", async () => {
    assert.equal((await site.run(["sh", "-c", "exit 7"])).code, 7);
    assert.equal((await site.run(["sh", "-c", "kill -TERM $$"])).code, 143);
    const missing = await site.run(["no-such-tool"]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /could not be started/);
  });

  it("says what to look at where the broker's proxy is not to be had", async () => {
    const { code, stderr } = await site.run(["curl"], { options: ["--proxy", "127.0.0.1:1"] });
    assert.equal(code, 7);
    assert.match(stderr, /^TARGET_UNAVAILABLE: .* at 127\.0\.0\.1:1 cannot be reached .*`proxy` in its configuration\? --proxy /);
  });

  it("--shared-user runs without a namespace, and keeps whoever lacks its pass out", async () => {
    const { stdout, stderr } = await site.run(
      [
        "sh",
        "-c",
        `curl -sS ${url("/anything")}; echo; echo $HTTPS_PROXY; curl -sS --proxy "http://\${HTTPS_PROXY#*@}" ${url("/anything")}`,
      ],
      { options: ["--shared-user"] },
    );
    assert.match(stdout, /sallyport:prod\/orders\/read#token/);
    assert.match(stdout, /http:\/\/run:[\w-]{32}@127\.0\.0\.1:\d+/);
    assert.match(stderr, /407/);
  });

  it("leaves records of each use, with its intent, and none of a secret", async () => {
    await settledEvidence(site.log);
    const lines = logLines(site.log);
    assert.ok(lines.some((line) => line.includes('"proxy.refuse"')));
    assert.deepEqual(scanFor(canary, Buffer.from(lines.join("\n"))), []);
  });
});

/** Environments and arguments of all processes that can be seen. */
function processTexts(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => ["environ", "cmdline"].map((file) => `/proc/${pid}/${file}`))
    .flatMap((path) => {
      try {
        return [readFileSync(path, "latin1")];
      } catch {
        return [];
      }
    });
}

const quoted = (word: string) => `'${word}'`;
