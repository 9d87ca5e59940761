import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import type { SecretStore } from "./secret-store.ts";

const canary = "canary-4711";
const of = (fields: Record<string, string>) => new Map(Object.entries(fields).map(([name, value]) => [name, Buffer.from(value)]));

/** What every store promises. `path` is a secret's that does not exist yet. */
export function conformance(open: () => Promise<{ store: SecretStore; path: string }>): void {
  let store: SecretStore;
  let path: string;
  beforeEach(async () => {
    ({ store, path } = await open());
  });

  const textsOf = async (version?: string) =>
    Object.fromEntries([...(await store.read(path, version)).fields].map(([name, value]) => [name, value.toString()]));

  it("gives back what was written, the newest or the version that is named", async () => {
    const before = Date.now();
    assert.equal(await store.write(path, of({ token: `${canary}-first` })), "1");
    assert.equal(await store.write(path, of({ token: `${canary}-second` })), "2");
    assert.deepEqual(await textsOf(), { token: `${canary}-second` });
    assert.deepEqual(await textsOf("1"), { token: `${canary}-first` });
    const read = await store.read(path);
    assert.equal(read.version, "2");
    assert.ok(read.createdAt !== undefined && read.createdAt >= before - 2000 && read.createdAt <= Date.now() + 2000);
    assert.deepEqual(await store.describe(path), { version: "2", createdAt: read.createdAt });
  });

  it("keeps the fields that a write does not name", async () => {
    await store.write(path, of({ user: "release-bot", password: `${canary}-old` }));
    await store.write(path, of({ password: `${canary}-new` }));
    assert.deepEqual(await textsOf(), { user: "release-bot", password: `${canary}-new` });
    assert.deepEqual(await textsOf("1"), { user: "release-bot", password: `${canary}-old` });
  });

  it("keeps text as it is: long, empty, in any script, with line breaks and JSON in it", async () => {
    const fields = {
      a: "",
      b: "zw\u00f6lf \u{1f511} \ufeff",
      c: '{"x":"\\u0000"}\n',
      d: "x".repeat(60_000),
      e: "-----BEGIN KEY-----\r\nabc\r\n",
    };
    await store.write(path, of(fields));
    assert.deepEqual(await textsOf(), fields);
  });

  it("stores nothing where another version is the newest than the one that a write follows", async () => {
    assert.equal(await store.write(path, of({ token: `${canary}-1` }), "0"), "1");
    for (const after of ["0", "2", "x", "-1"]) await refused(store.write(path, of({ token: "another" }), after), "INVALID_REQUEST");
    assert.equal(await store.write(path, of({ token: `${canary}-2` }), "1"), "2");
    assert.deepEqual(await textsOf(), { token: `${canary}-2` });
  });

  it("loses no write of several at once, and lets one win where all follow the same version", async () => {
    const versions = await Promise.all(["a", "b", "c"].map((field) => store.write(path, of({ [field]: `${canary}-${field}` }))));
    assert.deepEqual(versions.toSorted(), ["1", "2", "3"]);
    assert.deepEqual(await textsOf(), { a: `${canary}-a`, b: `${canary}-b`, c: `${canary}-c` });
    const racing = await Promise.allSettled(["x", "y", "z"].map((field) => store.write(path, of({ [field]: canary }), "3")));
    assert.equal(racing.filter(({ status }) => status === "fulfilled").length, 1);
    for (const lost of racing) if (lost.status === "rejected") assert.equal((lost.reason as Refusal).reason, "INVALID_REQUEST");
  });

  it("gives one answer for a secret and for a version that it does not have", async () => {
    const none = await refused(store.read(path), "STORE_UNAVAILABLE");
    assert.equal((await refused(store.describe(path), "STORE_UNAVAILABLE")).message, none.message);
    await store.write(path, of({ token: canary }));
    for (const version of ["2", "0", "", "latest", "1 ", "1&version=1", "99999999999"]) {
      assert.equal((await refused(store.read(path, version), "STORE_UNAVAILABLE")).message, none.message, version);
    }
  });

  it("hands out values that the caller can zero without harm to the next", async () => {
    await store.write(path, of({ token: canary }));
    for (const value of (await store.read(path)).fields.values()) value.fill(0);
    assert.deepEqual(await textsOf(), { token: canary });
  });

  it("is healthy", async () => {
    assert.deepEqual(await store.health(), { ok: true });
  });
}

async function refused(call: Promise<unknown>, reason: string): Promise<Refusal> {
  const error = await call.then(
    () => assert.fail("was not refused"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Refusal, String(error));
  assert.equal(error.reason, reason, error.message);
  assert.ok(!error.message.includes(canary));
  return error;
}
