import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Refusal } from "@sallyport/contracts";
import { systemClock } from "@sallyport/service";
import { conformance } from "../conformance.ts";
import { FileStore } from "./file-store.ts";

const fields = (value: string) => new Map([["token", Buffer.from(value)]]);

describe("the file store", () => {
  let dir: string;
  const open = () =>
    FileStore.open("dev", { kind: "file", path: join(dir, "in", "secrets.jwe"), key: `file:${join(dir, "key")}` }, systemClock);
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "sallyport-store-"));
    writeFileSync(join(dir, "key"), `${randomBytes(32).toString("base64url")}\n`);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  conformance(async () => ({ store: await open(), path: "prod/orders/api" }), { keepsBytes: true });

  it("shows no value, field or name on disk, and to nobody else", async () => {
    const store = await open();
    await store.write("prod/orders/api", fields("canary-4711-first"));
    await store.write("prod/orders/api", fields("canary-4711-second"));
    for (const name of readdirSync(join(dir, "in"))) {
      const text = readFileSync(join(dir, "in", name), "latin1");
      for (const hidden of ["canary", "token", "orders", Buffer.from("canary-4711").toString("base64").slice(0, 12)])
        assert.ok(!text.includes(hidden), name);
    }
    assert.equal(statSync(join(dir, "in", "secrets.jwe")).mode & 0o777, 0o600);
    assert.equal(statSync(join(dir, "in")).mode & 0o777, 0o700);
    assert.deepEqual((await open()).ownCredentials().map(String), [readFileSync(join(dir, "key"), "utf8").trim()]);
  });

  it("keeps the last ten versions", async () => {
    const store = await open();
    for (let version = 1; version <= 12; version++) await store.write("a", fields(`value-number-${version}`));
    assert.equal((await store.read("a", "3")).fields.get("token")?.toString(), "value-number-3");
    await unavailable(store.read("a", "2"));
  });

  it("says so where the key is another's, or the file was altered, cut or filled with something else", async () => {
    await (await open()).write("a", fields("canary-4711"));
    const path = join(dir, "in", "secrets.jwe");
    const good = readFileSync(path, "utf8");
    const parts = good.split(".");
    const wrong = [
      good.slice(0, -2),
      `${good.slice(0, -30)}AAAA${good.slice(-26)}`,
      "",
      "{}",
      "garbage",
      "\0".repeat(100),
      parts.toSpliced(0, 1, Buffer.from('{"alg":"dir","enc":"A128GCM"}').toString("base64url")).join("."),
    ];
    for (const text of wrong) {
      writeFileSync(path, text);
      await unavailable((await open()).read("a"), /altered/);
      await unavailable((await open()).write("a", fields("x")), /altered/);
      assert.equal(readFileSync(path, "utf8"), text, "left as it was found");
      assert.equal((await (await open()).health()).ok, false);
    }
    writeFileSync(path, good);
    writeFileSync(join(dir, "key"), randomBytes(32).toString("base64url"));
    await unavailable((await open()).read("a"), /key is another's/);
  });

  it("does not open with a key that is none, naming the setting and never the key", async () => {
    for (const key of ["short", "!".repeat(43), randomBytes(31).toString("base64url"), ""]) {
      writeFileSync(join(dir, "key"), key);
      await assert.rejects(
        open(),
        (error: unknown) =>
          error instanceof Refusal && /stores\.dev\.key/.test(error.message) && (key === "" || !error.message.includes(key)),
      );
    }
    rmSync(join(dir, "key"));
    await assert.rejects(open(), /stores\.dev\.key: the file .* does not exist/);
  });

  it("cannot be written where its folder cannot be, and says so", async () => {
    const store = await FileStore.open(
      "dev",
      { kind: "file", path: join(dir, "key", "secrets.jwe"), key: `file:${join(dir, "key")}` },
      systemClock,
    );
    await unavailable(store.write("a", fields("canary-4711")), /cannot be written now/);
  });

  it("loses nothing where several processes write at once", async () => {
    const writers = ["a", "b", "c"].map((name) =>
      run([fileURLToPath(new URL("./write-many.fixture.ts", import.meta.url)), join(dir, "in", "secrets.jwe"), join(dir, "key"), name]),
    );
    await Promise.all(writers);
    const read = await (await open()).read("shared");
    assert.equal(read.version, "15");
    assert.deepEqual(
      [...read.fields].map(([name, value]) => `${name}=${value}`).toSorted(),
      ["a", "b", "c"].flatMap((name) => [0, 1, 2, 3, 4].map((at) => `${name}${at}=value-of-${name}${at}`)),
    );
  });
});

function run(args: string[]): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (data) => {
    errors += data;
  });
  return new Promise((resolve, reject) => child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(errors)))));
}

const unavailable = (call: Promise<unknown>, sentence = /./) =>
  assert.rejects(
    call,
    (error: unknown) =>
      error instanceof Refusal && error.reason === "STORE_UNAVAILABLE" && sentence.test(error.message) && !error.message.includes("canary"),
  );
