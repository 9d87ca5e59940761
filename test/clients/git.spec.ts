import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { describeWithTools, tools } from "../support/it-with.ts";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";
import { type EchoTarget, startEcho } from "./echo-target.ts";
import { newCanary, type ProxySite, proxySite } from "./proxy-site.ts";

const backend = tools.git.file;

describeWithTools([tools.bubblewrap, tools.git], "git by sallyport run, against a real git server", function () {
  this.timeout(60_000);
  const canary = newCanary();
  let folder: string;
  let server: EchoTarget;
  let site: ProxySite;
  before(async () => {
    folder = scratchFolder("git");
    const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, stdio: "pipe" });
    git("init", "-q", "--bare", "-b", "main", "orders.git");
    git("-C", "orders.git", "config", "http.receivepack", "true");
    // A branch of a size that neither fits a message nor goes unpacked.
    git("clone", "-q", "orders.git", "seed");
    execFileSync("sh", ["-c", "for n in $(seq 400); do echo $n > $n.txt; done; head -c 3000000 /dev/urandom > big.bin; git add -A"], {
      cwd: join(folder, "seed"),
    });
    git("-C", "seed", "-c", "user.name=a", "-c", "user.email=a@a.test", "commit", "-qm", "first");
    git("-C", "seed", "push", "-q", "origin", "HEAD:main");
    server = await startEcho("git.a.test", canary, { routes: (request, answer, body) => serveGit(folder, request, answer, body) });
    const service = ["GET /{repository}/info/refs", "POST /{repository}/git-upload-pack", "POST /{repository}/git-receive-pack"];
    site = await proxySite(canary, { git: { server, allow: service } });
  });
  after(async () => {
    await site?.stop();
    await server?.stop();
    removeScratch(folder);
  });

  it("clones, commits, pushes and fetches", async () => {
    const url = `https://git.a.test:${server.port}/orders.git`;
    const script = [
      `git clone -q ${url} work`,
      "cd work",
      "git config user.name b && git config user.email b@a.test",
      "head -c 2000000 /dev/urandom > more.bin && git add -A && git commit -qm second && git push -q origin HEAD:main",
      "git fetch -q && git log --format=%s origin/main",
      "ls | wc -l",
    ].join(" && ");
    const { code, stdout, stderr } = await site.run(["sh", "-c", `cd ${folder} && ${script}`]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split("\n"), ["second", "first", "402"]);
    assert.equal(
      execFileSync("git", ["-C", "orders.git", "log", "--format=%s", "main"], { cwd: folder, encoding: "utf8" }),
      "second\nfirst\n",
    );
    assert.ok(server.reached.some(({ body }) => body.length > 1_000_000));
    for (const { rawHeaders } of server.reached) assert.ok(rawHeaders.includes(`Bearer ${canary}`));
    assert.ok(!execFileSync("sh", ["-c", "cat work/.git/config"], { cwd: folder, encoding: "utf8" }).includes(canary));
  });

  it("is told no where the repository's path is not listed", async () => {
    const { code, stderr } = await site.run(["git", "ls-remote", `https://git.a.test:${server.port}/deeper/orders.git`], {
      env: { GIT_TERMINAL_PROMPT: "0" },
    });
    assert.equal(code, 128);
    assert.match(stderr, /403/);
  });
});

/** git's own server, as CGI (RFC 3875). */
async function serveGit(folder: string, request: IncomingMessage, answer: ServerResponse, body: Buffer): Promise<boolean> {
  const { pathname, search } = new URL(request.url ?? "/", "http://git");
  const child = spawn(backend, {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"],
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] as string | undefined,
      GIT_PROTOCOL: request.headers["git-protocol"] as string | undefined,
      REMOTE_USER: "agent",
    },
  });
  child.stdin.on("error", () => undefined).end(body);
  const pieces: Buffer[] = [];
  for await (const piece of child.stdout) pieces.push(piece as Buffer);
  const output = Buffer.concat(pieces);
  const end = output.indexOf("\r\n\r\n");
  let status = 200;
  for (const line of output.subarray(0, end).toString().split("\r\n")) {
    const [name = "", value = ""] = line.split(/: (.*)/);
    if (name === "Status") status = Number.parseInt(value, 10);
    else answer.setHeader(name, value);
  }
  answer.writeHead(status).end(output.subarray(end + 4));
  return true;
}
