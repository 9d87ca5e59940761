import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sallyport } from "../command-line.fixture.ts";

describe("the keys that sign credentials, at the command line", () => {
  let folder: string;
  let config: string;
  let file: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "sallyport-keys-"));
    config = join(folder, "sallyport.yaml");
    file = join(folder, "data/keys/credential.jwk");
    assert.equal((await sallyport(["init", "-c", config, "--trust-domain", "test.internal"])).code, 0);
  });
  after(() => rmSync(folder, { recursive: true }));

  const list = async () => JSON.parse((await sallyport(["keys", "ls", "-c", config, "-o", "json"])).stdout);

  it("are listed, rotated and listed again, with nothing secret printed", async () => {
    const { d } = JSON.parse(readFileSync(file, "utf8"));
    const [first] = await list();
    assert.equal(first.state, "signs");
    const ran = await sallyport(["keys", "rotate", "--in", "600", "-c", config]);
    assert.equal(ran.code, 0, ran.stderr);
    const [old, next] = await list();
    assert.deepEqual([old.kid, old.state, next.state], [first.kid, "signs", "waits"]);
    assert.ok(Date.parse(old.publishedUntil) > Date.parse(next.signsFrom));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const table = await sallyport(["keys", "ls", "-c", config]);
    assert.ok(![ran.stdout, ran.stderr, table.stdout].some((text) => text.includes(d)));
  });

  it("are not rotated twice at a time, nor from a file that is none; it stays as it is", async () => {
    const before = readFileSync(file, "utf8");
    const ran = await sallyport(["keys", "rotate", "-c", config]);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /waits already/);
    assert.equal(readFileSync(file, "utf8"), before);
    writeFileSync(file, "{}");
    assert.equal((await sallyport(["keys", "rotate", "-c", config])).code, 2);
    assert.equal(readFileSync(file, "utf8"), "{}");
    rmSync(file);
    assert.match((await sallyport(["keys", "ls", "-c", config])).stderr, /where authn runs/);
  });
});
