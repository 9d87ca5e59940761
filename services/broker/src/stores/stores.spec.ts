import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig, systemClock } from "@sallyport/service";
import { Stores } from "./stores.ts";

describe("the configured stores", () => {
  let dir: string;
  const config = (secrets = "", stores = "") =>
    parseConfig(
      `version: 1
trustDomain: example.internal
stores:
  dev: { kind: file, path: ./secrets.jwe, key: "file:./key" }
${stores}
secrets:
  prod/orders/api: { store: dev, path: orders, fields: [token] }
  prod/orders/db: { store: dev, path: orders, fields: [user, password] }
${secrets}`,
      join(dir, "sallyport.yaml"),
    );
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "sallyport-stores-"));
    writeFileSync(join(dir, "key"), randomBytes(32).toString("base64url"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("give a secret its own fields, and no others that lie at the same place", async () => {
    const stores = await Stores.open(config(), systemClock);
    await stores.write("prod/orders/api", new Map([["token", Buffer.from("canary-4711")]]));
    await stores.write("prod/orders/db", new Map([["password", Buffer.from("canary-4712")]]));
    assert.deepEqual([...(await stores.read("prod/orders/api")).fields.keys()], ["token"]);
    assert.deepEqual([...(await stores.read("prod/orders/db")).fields.keys()], ["password"]);
    assert.equal((await stores.describe("prod/orders/db")).version, "2");
    assert.deepEqual([...(await stores.health()).values()], [{ ok: true }]);
    await stores.close();
  });

  it("know no secret that is not configured, whatever it is called", async () => {
    const stores = await Stores.open(config(), systemClock);
    for (const name of ["prod/other", "", "toString", "__proto__"]) await assert.rejects(stores.read(name), /No store is configured/);
  });

  it("name the broker's own credentials for the masker", async () => {
    const [entry] = (await Stores.open(config(), systemClock)).ownCredentials();
    assert.equal(entry?.placeholder, "[sallyport:store/dev]");
    assert.equal(entry?.value.length, 43);
  });

  it("are not opened with a secret whose path leads out of its store", async () => {
    process.env.SALLYPORT_TEST_TOKEN = "t.canary-4711";
    const vault = '  vault: { kind: openbao, address: "http://127.0.0.1:1", auth: { token: "env:SALLYPORT_TEST_TOKEN" } }';
    await assert.rejects(
      Stores.open(config('  prod/x: { store: vault, path: "../sys/seal", fields: [token] }', vault), systemClock),
      /is no path/,
    );
    await (await Stores.open(config("  prod/x: { store: vault, path: secret/x, fields: [token] }", vault), systemClock)).close();
  });
});
