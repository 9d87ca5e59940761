import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { describeWithTools, itWith, tools } from "../support/it-with.ts";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";
import { type EchoTarget, startEcho } from "./echo-target.ts";
import { newCanary, type ProxySite, proxySite } from "./proxy-site.ts";

describeWithTools([tools.bubblewrap], "package managers by sallyport run, against private registries", function () {
  this.timeout(120_000);
  const canary = newCanary();
  let folder: string;
  let npm: EchoTarget;
  let pypi: EchoTarget;
  let site: ProxySite;
  before(async () => {
    folder = scratchFolder("packages");
    npm = await startEcho("npm.a.test", canary, { routes: npmRegistry(folder) });
    pypi = await startEcho("pypi.a.test", canary, { routes: pythonIndex(folder) });
    site = await proxySite(canary, {
      npm: { server: npm, allow: ["GET /{package}", "GET /{scope}/{package}/-/{file}"] },
      pypi: { server: pypi, allow: ["GET /simple/{project}/", "GET /files/{file}"] },
    });
  });
  after(async () => {
    await site?.stop();
    await Promise.all([npm?.stop(), pypi?.stop()]);
    removeScratch(folder);
  });

  itWith([tools.npm], "npm installs a scoped package", async () => {
    const work = join(folder, "work");
    mkdirSync(work);
    writeFileSync(join(work, "package.json"), '{"name":"work","private":true}');
    const { code, stdout, stderr } = await site.run([
      "sh",
      "-c",
      `cd ${work} && npm install --no-audit --no-fund --cache ${folder}/npm-cache --registry https://npm.a.test:${npm.port}/ @acme/widget && cat node_modules/@acme/widget/index.js && cat package-lock.json`,
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /module\.exports = "a widget"/);
    assert.ok(npm.reached.some(({ url }) => url === "/@acme%2fwidget"));
    assert.ok(!`${stdout}${stderr}`.includes(canary));
  });

  itWith([tools.pip], "pip installs a package", async () => {
    const { code, stdout, stderr } = await site.run([
      "sh",
      "-c",
      `python3 -m pip install --no-cache-dir --disable-pip-version-check --target ${folder}/site --index-url https://pypi.a.test:${pypi.port}/simple/ widget && cat ${folder}/site/widget.py`,
    ]);
    assert.equal(code, 0, stderr + stdout);
    assert.match(stdout, /a widget/);
    assert.ok(!`${stdout}${stderr}`.includes(canary));
  });
});

/** What npm asks of a registry: a package's document and its tarball. */
function npmRegistry(folder: string) {
  const made = join(folder, "npm", "package");
  mkdirSync(made, { recursive: true });
  writeFileSync(join(made, "package.json"), JSON.stringify({ name: "@acme/widget", version: "1.0.0", main: "index.js" }));
  writeFileSync(join(made, "index.js"), 'module.exports = "a widget";\n');
  execFileSync("tar", ["-czf", "../widget.tgz", "package"], { cwd: join(folder, "npm") });
  const tarball = readFileSync(join(folder, "widget.tgz"));
  return (request: IncomingMessage, answer: ServerResponse): boolean => {
    if (request.url?.endsWith(".tgz")) return !!answer.setHeader("content-type", "application/octet-stream").end(tarball);
    if (request.url?.toLowerCase() !== "/@acme%2fwidget") return !!answer.writeHead(404).end("{}");
    const dist = {
      tarball: `https://${request.headers.host}/@acme/widget/-/widget-1.0.0.tgz`,
      integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
    };
    const version = { name: "@acme/widget", version: "1.0.0", dist };
    const document = { name: "@acme/widget", "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": version } };
    return !!answer.setHeader("content-type", "application/json").end(JSON.stringify(document));
  };
}

/** What pip asks of an index (PEP 503): a project's page and its wheel. */
function pythonIndex(folder: string) {
  const made = join(folder, "wheel");
  const info = join(made, "widget-1.0.dist-info");
  mkdirSync(info, { recursive: true });
  writeFileSync(join(made, "widget.py"), 'print("a widget")\n');
  writeFileSync(join(info, "METADATA"), "Metadata-Version: 2.1\nName: widget\nVersion: 1.0\n");
  writeFileSync(join(info, "WHEEL"), "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
  writeFileSync(
    join(info, "RECORD"),
    "widget.py,,\nwidget-1.0.dist-info/METADATA,,\nwidget-1.0.dist-info/WHEEL,,\nwidget-1.0.dist-info/RECORD,,\n",
  );
  const script =
    "import sys,zipfile,os\nz=zipfile.ZipFile(sys.argv[1],'w')\n[z.write(os.path.join(d,f),os.path.relpath(os.path.join(d,f),sys.argv[2])) for d,_,fs in os.walk(sys.argv[2]) for f in fs]\nz.close()";
  execFileSync("python3", ["-c", script, join(folder, "widget.whl"), made]);
  const wheel = readFileSync(join(folder, "widget.whl"));
  const hash = createHash("sha256").update(wheel).digest("hex");
  return (request: IncomingMessage, answer: ServerResponse): boolean => {
    if (request.url?.endsWith(".whl")) return !!answer.setHeader("content-type", "application/octet-stream").end(wheel);
    const link = `<!DOCTYPE html><html><body><a href="/files/widget-1.0-py3-none-any.whl#sha256=${hash}">widget</a></body></html>`;
    return !!answer.setHeader("content-type", "text/html").end(link);
  };
}
