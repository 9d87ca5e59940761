import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Refusal } from "@sallyport/contracts";
import { type Certified, faults, startFaulty } from "./faulty-server.fixture.ts";
import type { SecretStore } from "./secret-store.ts";

const canary = "canary-4711";
const of = (fields: Record<string, string>) => new Map(Object.entries(fields).map(([name, value]) => [name, Buffer.from(value)]));

/** What a kind of store can do, and how the suite reaches it. What is left out is as the best of them do it. */
export interface Traits {
  /** Older versions can be read. Default true. */
  readonly keepsVersions?: boolean;
  /** A write can follow a version, and no write of several at once is lost. Default true. */
  readonly checksAndSets?: boolean;
  /** Default true; one that takes none has `seed`. */
  readonly takesWrites?: boolean;
  /** Values may be any bytes. Default false: text. */
  readonly keepsBytes?: boolean;
  /** Tells when a version was made. Default true. */
  readonly tellsTime?: boolean;
  /** Most bytes of one value. Default 60 000. */
  readonly longest?: number;
  /** Sets a value past the store's own writing. */
  readonly seed?: (path: string, fields: ReadonlyMap<string, Uint8Array>) => Promise<void>;
  /** A secret that is there and that the store's credential may not read. */
  readonly forbidden?: () => Promise<{ store: SecretStore; path: string }>;
  /** The same store at another address, for one that is reached over the network; one answer is bounded by `timeoutMs`. */
  readonly at?: (address: string, timeoutMs: number) => Promise<SecretStore>;
  /** For a store that is reached by TLS only. */
  readonly tls?: () => Certified;
}

/** What every store promises. `path` is a secret's that does not exist yet. */
export function conformance(open: () => Promise<{ store: SecretStore; path: string }>, traits: Traits = {}): void {
  const { keepsVersions = true, checksAndSets = true, takesWrites = true, keepsBytes = false, tellsTime = true, longest = 60_000 } = traits;
  const where = (condition: boolean) => (condition ? it : (_promise: string, _test: () => unknown) => undefined);
  let store: SecretStore;
  let path: string;
  beforeEach(async () => {
    ({ store, path } = await open());
  });

  const put = async (fields: Record<string, string>, after?: string) => {
    if (takesWrites) return store.write(path, of(fields), after);
    await traits.seed?.(path, of(fields));
    return (await store.read(path)).version;
  };
  const textsOf = async (version?: string) =>
    Object.fromEntries([...(await store.read(path, version)).fields].map(([name, value]) => [name, value.toString()]));

  it("gives back what was written, and says which version that is", async () => {
    const before = Date.now();
    const first = await put({ token: `${canary}-first` });
    assert.deepEqual(await textsOf(), { token: `${canary}-first` });
    const second = await put({ token: `${canary}-second` });
    assert.notEqual(first, second);
    assert.deepEqual(await textsOf(), { token: `${canary}-second` });
    const read = await store.read(path);
    assert.equal(read.version, second);
    if (tellsTime) assert.ok(read.createdAt !== undefined && read.createdAt >= before - 2000 && read.createdAt <= Date.now() + 2000);
    const described = await store.describe(path);
    assert.equal(described.version, second);
    if (described.createdAt !== undefined) assert.equal(described.createdAt, read.createdAt);
    assert.deepEqual(await textsOf(second), { token: `${canary}-second` });
  });

  where(keepsVersions)("gives the version that is named, also when it is not the newest", async () => {
    const first = await put({ token: `${canary}-first` });
    await put({ token: `${canary}-second` });
    assert.deepEqual(await textsOf(first), { token: `${canary}-first` });
  });

  where(!keepsVersions)("gives nothing for a version that is no longer there, rather than another value", async () => {
    const first = await put({ token: `${canary}-first` });
    await put({ token: `${canary}-second` });
    await refused(store.read(path, first), "STORE_UNAVAILABLE");
  });

  where(takesWrites)("keeps the fields that a write does not name", async () => {
    const first = await put({ user: "release-bot", password: `${canary}-old` });
    await put({ password: `${canary}-new` });
    assert.deepEqual(await textsOf(), { user: "release-bot", password: `${canary}-new` });
    if (keepsVersions) assert.deepEqual(await textsOf(first), { user: "release-bot", password: `${canary}-old` });
  });

  it("keeps text as it is: long, empty, in any script, with line breaks and JSON in it", async () => {
    const fields = {
      a: "",
      b: "zw\u00f6lf \u{1f511} \ufeff",
      c: '{"x":"\\u0000"}\n',
      d: "x".repeat(longest - 200),
      e: "-----BEGIN KEY-----\r\nabc\r\n",
    };
    await put(fields);
    assert.deepEqual(await textsOf(), fields);
  });

  where(takesWrites)("keeps bytes that are no text, or refuses them: never changes them", async () => {
    const bytes = Buffer.from([0, 1, 0xff, 0xfe, 0x80, 0x0a]);
    if (!keepsBytes) return void (await refused(store.write(path, new Map([["token", bytes]])), "INVALID_REQUEST"));
    await store.write(path, new Map([["token", bytes]]));
    assert.deepEqual((await store.read(path)).fields.get("token"), bytes);
  });

  where(takesWrites && checksAndSets)("stores nothing where another version is the newest than the one that a write follows", async () => {
    const first = await put({ token: `${canary}-1` }, "0");
    for (const after of ["0", `${first}0`, "x", "-1"])
      await refused(store.write(path, of({ token: "another-value" }), after), "INVALID_REQUEST");
    assert.deepEqual(await textsOf(), { token: `${canary}-1` });
    const second = await put({ token: `${canary}-2` }, first);
    assert.deepEqual(await textsOf(), { token: `${canary}-2` });
    await refused(store.write(path, of({ token: "another-value" }), first), "INVALID_REQUEST");
    assert.equal((await store.describe(path)).version, second);
  });

  where(takesWrites && !checksAndSets)("refuses a write that should follow a version, as it could not keep that promise", async () => {
    await refused(store.write(path, of({ token: canary }), "0"), "INVALID_REQUEST");
    await refused(store.read(path), "STORE_UNAVAILABLE");
  });

  where(takesWrites && checksAndSets)("loses no write of several at once, and lets one win where all follow the same version", async () => {
    await put({ first: `${canary}-first` });
    const versions = await Promise.all(["a", "b", "c"].map((field) => store.write(path, of({ [field]: `${canary}-${field}` }))));
    assert.equal(new Set(versions).size, 3);
    const fields = { first: `${canary}-first`, a: `${canary}-a`, b: `${canary}-b`, c: `${canary}-c` };
    assert.deepEqual(await textsOf(), fields);
    const { version } = await store.describe(path);
    const racing = await Promise.allSettled(["x", "y", "z"].map((field) => store.write(path, of({ [field]: canary }), version)));
    assert.equal(racing.filter(({ status }) => status === "fulfilled").length, 1);
    for (const lost of racing) if (lost.status === "rejected") assert.equal((lost.reason as Refusal).reason, "INVALID_REQUEST");
  });

  where(!takesWrites)("refuses a write with a sentence", async () => {
    await refused(store.write(path, of({ token: canary })), "INVALID_REQUEST");
  });

  it("gives one answer for a secret and for a version that it does not have", async () => {
    const none = await refused(store.read(path), "STORE_UNAVAILABLE");
    assert.equal((await refused(store.describe(path), "STORE_UNAVAILABLE")).message, none.message);
    const version = await put({ token: canary });
    for (const other of ["2", "0", "", "latest", `${version} `, `${version}&version=${version}`, "99999999999", "../1", "AWSCURRENT"]) {
      if (other !== version) assert.equal((await refused(store.read(path, other), "STORE_UNAVAILABLE")).message, none.message, other);
    }
  });

  where(traits.forbidden !== undefined)("gives that answer for a secret which the broker may not have, too", async () => {
    const none = await refused(store.read(path), "STORE_UNAVAILABLE");
    const closed = await traits.forbidden?.();
    assert.ok(closed !== undefined);
    const told = (error: Refusal) => error.message;
    assert.equal(told(await refused(closed.store.read(closed.path), "STORE_UNAVAILABLE")), told(none));
    assert.equal(told(await refused(closed.store.describe(closed.path), "STORE_UNAVAILABLE")), told(none));
    if (takesWrites) await refused(closed.store.write(closed.path, of({ token: canary })), "STORE_UNAVAILABLE");
    await closed.store.close();
  });

  it("hands out values that the caller can zero without harm to the next, and keeps none that it was given", async () => {
    const given = of({ token: canary });
    if (takesWrites) await store.write(path, given);
    else await traits.seed?.(path, given);
    assert.deepEqual(given.get("token")?.toString(), canary);
    given.get("token")?.fill(0);
    const [first, second] = await Promise.all([store.read(path), store.read(path)]);
    for (const value of first.fields.values()) value.fill(0);
    assert.equal(second.fields.get("token")?.toString(), canary);
    assert.deepEqual(await textsOf(), { token: canary });
  });

  it("ends a call whose caller has gone, with the caller's own reason", async () => {
    await put({ token: canary });
    const reason = new Refusal("CANCELLED", "The caller has gone.");
    await assert.rejects(store.read(path, undefined, AbortSignal.abort(reason)), (error) => error === reason);
    assert.deepEqual(await textsOf(), { token: canary });
  });

  it("is healthy", async () => {
    assert.deepEqual(await store.health(), { ok: true });
  });

  const { at } = traits;
  if (at === undefined) return;

  for (const [what, fault] of Object.entries(faults)) {
    it(`that ${what} is unavailable, in time, and nothing that it said is told`, async () => {
      const faulty = await startFaulty(fault, traits.tls?.());
      const unwell = await at(faulty.address, 300);
      const began = performance.now();
      try {
        await refused(unwell.read(path), "STORE_UNAVAILABLE");
        await refused(unwell.describe(path), "STORE_UNAVAILABLE");
        if (takesWrites) await refused(unwell.write(path, of({ token: `new-${canary}` })), "STORE_UNAVAILABLE");
        assert.ok(performance.now() - began < 5000, "took too long");
        assert.equal(faulty.elsewhere, 0, "followed elsewhere");
      } finally {
        await unwell.close();
        await faulty.stop();
      }
    });
  }

  it("that hangs or is not there is not healthy, and says so in time", async () => {
    const faulty = await startFaulty(faults["never answers"] as never, traits.tls?.());
    const [hanging, gone] = await Promise.all([
      at(faulty.address, 300),
      at(new URL("/", faulty.address.replace(/:\d+$/, ":1")).origin, 300),
    ]);
    try {
      for (const unwell of [hanging, gone]) {
        const health = await unwell.health();
        assert.ok(!health.ok && health.why.length > 20);
      }
      await refused(gone.read(path), "STORE_UNAVAILABLE");
      const controller = new AbortController();
      const reason = new Refusal("CANCELLED", "The caller has gone.");
      const reading = hanging.read(path, undefined, controller.signal);
      setTimeout(() => controller.abort(reason), 50);
      await assert.rejects(reading, (error) => error === reason);
    } finally {
      await Promise.all([hanging.close(), gone.close()]);
      await faulty.stop();
    }
  });
}

async function refused(call: Promise<unknown>, reason: string): Promise<Refusal> {
  const error = await call.then(
    () => assert.fail("was not refused"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Refusal, inspect(error));
  assert.equal(error.reason, reason, inspect(error));
  // Neither the sentence nor anything that a log could write of it.
  assert.ok(!inspect(error, { depth: 12, showHidden: true }).includes(canary), "a value is in the error");
  return error;
}
