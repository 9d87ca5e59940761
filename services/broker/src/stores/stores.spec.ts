import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "@sallyport/contracts";
import { systemClock } from "@sallyport/service";
import { FileStore } from "./file-store.ts";
import { OpenBaoStore } from "./openbao-store.ts";

const unavailable = (error: unknown) => error instanceof Refusal && error.reason === "STORE_UNAVAILABLE";
const fields = (value: string) => new Map([["token", Buffer.from(value)]]);

describe("the file store", () => {
  let dir: string;
  const open = () => FileStore.open({ kind: "file", path: join(dir, "secrets.jwe"), key: `file:${join(dir, "key")}` }, systemClock);
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "sallyport-store-"));
    writeFileSync(join(dir, "key"), randomBytes(32).toString("base64url"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("gives back what was written, by version, and shows none of it on disk", async () => {
    const store = await open();
    assert.equal(await store.write("a/b", fields("canary-4711-first")), "1");
    assert.equal(await store.write("a/b", fields("canary-4711-second"), "1"), "2");
    assert.equal((await store.read("a/b")).fields.get("token")?.toString(), "canary-4711-second");
    assert.equal((await store.read("a/b", "1")).fields.get("token")?.toString(), "canary-4711-first");
    assert.equal((await store.describe("a/b")).version, "2");
    const bytes = readFileSync(join(dir, "secrets.jwe"), "utf8");
    assert.ok(!bytes.includes("canary") && statSync(join(dir, "secrets.jwe")).mode % 0o1000 === 0o600);
    assert.equal((await (await open()).read("a/b")).version, "2");
  });

  it("writes nothing where another version is the newest", async () => {
    const store = await open();
    await assert.rejects(
      store.write("a", fields("x".repeat(10)), "3"),
      (error: unknown) => error instanceof Refusal && error.reason === "INVALID_REQUEST",
    );
    await assert.rejects(store.read("a"), unavailable);
  });

  it("loses none of several writes at once", async () => {
    const [one, two] = [await open(), await open()];
    const versions = await Promise.all(
      [one, two, one, two].map((store, index) => store.write(`s/${index}`, fields(`value-number-${index}`))),
    );
    assert.deepEqual(versions, ["1", "1", "1", "1"]);
    for (let index = 0; index < 4; index++)
      assert.equal((await one.read(`s/${index}`)).fields.get("token")?.toString(), `value-number-${index}`);
  });

  it("says so where the key is another's, is none, or the file was altered", async () => {
    await (await open()).write("a", fields("canary-4711"));
    writeFileSync(join(dir, "key"), randomBytes(32).toString("base64url"));
    await assert.rejects((await open()).read("a"), unavailable);
    writeFileSync(join(dir, "key"), "short");
    await assert.rejects(open(), unavailable);
  });
});

describe("a vault that misbehaves", () => {
  const serve = async (listener: RequestListener, run: (store: OpenBaoStore) => Promise<void>) => {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    process.env.SALLYPORT_TEST_TOKEN = "t.canary-4711-token";
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const store = new OpenBaoStore(
      "vault",
      { kind: "openbao", address, mount: "secret", auth: { token: "env:SALLYPORT_TEST_TOKEN" }, network: ["127.0.0.0/8"] },
      systemClock,
    );
    try {
      await run(store);
    } finally {
      await store.close();
      server.closeAllConnections();
      server.close();
    }
  };

  for (const [what, listener] of Object.entries<RequestListener>({
    "answers 403": (_, answer) => void answer.writeHead(403).end('{"errors":["permission denied"]}'),
    "answers 404": (_, answer) => void answer.writeHead(404).end('{"errors":[]}'),
    "answers 500": (_, answer) => void answer.writeHead(500).end("canary-4711"),
    "answers 503, sealed": (_, answer) => void answer.writeHead(503).end('{"errors":["Vault is sealed"]}'),
    "answers garbage": (_, answer) => void answer.end("<html>canary-4711</html>"),
    "answers without a version": (_, answer) => void answer.end('{"data":{"data":{"token":"canary-4711"}}}'),
    "breaks off": (request) => void request.socket.destroy(),
    "redirects elsewhere": (_, answer) => void answer.writeHead(307, { location: "http://169.254.169.254/" }).end(),
    "never answers": () => {},
  })) {
    it(`${what}: STORE_UNAVAILABLE, and nothing of the answer in the sentence`, async () => {
      await serve(listener, async (store) => {
        const began = performance.now();
        await assert.rejects(
          store.read("orders/api"),
          (error: unknown) => unavailable(error) && !(error as Error).message.includes("canary"),
        );
        assert.ok(performance.now() - began < 10_000);
      });
    });
  }

  it("one that behaves is read, version and all", async () => {
    await serve(
      (request, answer) =>
        void answer.end(
          request.headers["x-vault-token"] === "t.canary-4711-token"
            ? '{"data":{"data":{"token":"v"},"metadata":{"version":3,"created_time":"2026-01-01T00:00:00Z"}}}'
            : "{}",
        ),
      async (store) => {
        const read = await store.read("orders/api");
        assert.deepEqual(
          [read.version, read.createdAt, read.fields.get("token")?.toString()],
          ["3", Date.parse("2026-01-01T00:00:00Z"), "v"],
        );
      },
    );
  });
});
