import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "@sallyport/service";
import { sallyport } from "../../command-line.fixture.ts";

const original = `# Our installation
version: 1
trustDomain: test.internal # the name on the door

stores:
  # for development only
  dev: { kind: file, path: ./secrets.jwe, key: "file:./dev.key" }
`;

describe("sallyport connections", () => {
  let folder: string;
  let file: string;
  const text = () => readFileSync(file, "utf8");
  const config = () => parseConfig(text(), file);
  const connections = (...args: string[]) => sallyport(["connections", ...args, "-c", file]);
  const done = async (...args: string[]) => {
    const ran = await connections(...args);
    assert.equal(ran.code, 0, ran.stderr);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sallyport-connections-"));
    file = join(folder, "sallyport.yaml");
    writeFileSync(file, original, { mode: 0o640 });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("adds what a first use needs, and keeps comments, order and the file's mode", async () => {
    await done(
      "add",
      "store",
      "vault",
      "--kind",
      "openbao",
      "--address",
      "https://bao.internal:8200",
      "--role-id",
      "env:BAO_ROLE",
      "--secret-id",
      "file:./bao.id",
      "--network",
      "10.0.0.0/8",
    );
    await done(
      "add",
      "secret",
      "prod/orders/api",
      "--store",
      "vault",
      "--path",
      "orders/api",
      "--field",
      "token",
      "--category",
      "payments",
      "--category",
      "high-value",
    );
    await done(
      "add",
      "target",
      "orders-api",
      "--base-url",
      "https://orders.internal",
      "--secret",
      "prod/orders/api",
      "--bearer",
      "token",
      "--allow",
      "GET /v1/orders/{id}",
      "--allow",
      "POST /v1/refunds",
    );
    await done("add", "issuer", "corp", "--issuer", "https://idp.example.com", "--audience", "sallyport", "--groups-claim", "groups");
    await done(
      "add",
      "issuer",
      "ci",
      "--issuer",
      "https://ci.example.com",
      "--audience",
      "sallyport",
      "--kind",
      "pipeline",
      "--algorithm",
      "RS256",
      "--single-use",
    );
    for (const comment of ["# Our installation", "# the name on the door", "# for development only"])
      assert.ok(text().includes(comment), comment);
    assert.ok(text().startsWith(original));
    assert.equal(statSync(file).mode & 0o777, 0o640);
    assert.deepEqual(config().targets["orders-api"]?.allow.length, 2);
    assert.deepEqual(
      config().trust.oidc.map(({ name, kind, algorithms }) => [name, kind, algorithms[0]]),
      [
        ["corp", "person", "ES256"],
        ["ci", "pipeline", "RS256"],
      ],
    );
    const listed = JSON.parse((await connections("ls", "-o", "json")).stdout) as { what: string; name: string }[];
    assert.deepEqual(
      listed.map(({ what, name }) => `${what} ${name}`),
      ["store dev", "store vault", "secret prod/orders/api", "target orders-api", "issuer corp", "issuer ci"],
    );
    assert.deepEqual(readdirSync(folder), ["sallyport.yaml"]);
  });

  it("takes any setting of a store's kind, and keeps what every connection has", async () => {
    await done(
      ...["add", "store", "vault", "--kind", "openbao", "--address", "https://a.internal", "--address", "https://b.internal"],
      ...["--set", "auth.jwt.role=broker", "--set", "auth.jwt.token=file:/run/token", "--set", "kv=1"],
      ...["--owner", "platform team", "--category", "payments", "--cache-seconds", "2.5"],
    );
    await done(
      ...["add", "store", "aws", "--kind", "aws-secrets-manager", "--set", "region=eu-central-1"],
      ...["--set", "auth.accessKey.id=env:ID", "--set", "auth.accessKey.secret=env:KEY"],
    );
    await done("add", "secret", "a/b", "--store", "vault", "--field", "token");
    const { vault, aws } = config().stores;
    assert.ok(vault?.kind === "openbao" && aws?.kind === "aws-secrets-manager");
    assert.deepEqual([vault.address, vault.kv, vault.auth.jwt?.mount], [["https://a.internal", "https://b.internal"], 1, "jwt"]);
    assert.deepEqual([vault.owner, vault.cacheSeconds, aws.cacheSeconds], ["platform team", 2.5, 0]);
    assert.deepEqual(config().secrets["a/b"]?.categories, ["payments"]);
    const listed = await connections("ls");
    assert.match(listed.stdout, /https:\/\/a\.internal, https:\/\/b\.internal \(of platform team\)/);
    for (const set of ["kv=3", "nothing=1", "auth.jwt", "=x", "__proto__.x=1", "cacheSeconds=9999", "auth.token=s.token-itself"]) {
      const before = text();
      const ran = await connections("add", "store", "v2", "--kind", "openbao", "--address", "https://a.internal", "--set", set);
      assert.equal(ran.code, 2, set);
      assert.equal(text(), before);
    }
  });

  it("puts a secret into a target's requests in each way that needs a name and a field", async () => {
    await done("add", "secret", "s", "--store", "dev", "--field", "token");
    for (const [flag, value, inject] of [
      ["--header", "X-Key=token", { header: { name: "X-Key", field: "token" } }],
      ["--basic", "svc-orders=token", { basic: { user: "svc-orders", password: "token" } }],
      ["--query", "api_key=token", { query: { name: "api_key", field: "token" } }],
      ["--cookie", "session=token", { cookie: { name: "session", field: "token" } }],
      ["--body", "/auth/token=token", { body: { pointer: "/auth/token", field: "token" } }],
      ["--form", "token=token", { form: { name: "token", field: "token" } }],
    ] as const) {
      await done("add", "target", "t", "--base-url", "https://t.example", "--secret", "s", flag, value, "--allow", "GET /x", "--replace");
      assert.deepEqual(config().targets.t?.inject, inject);
    }
    await done(
      "add",
      "target",
      "t",
      "--base-url",
      "https://t.example",
      "--secret",
      "s",
      "--bearer",
      "token",
      "--preset",
      "no-callbacks",
      "--allow",
      "GET /x",
      "--replace",
    );
    assert.deepEqual(
      config().targets.t?.rules?.map(({ name }) => name),
      ["no-callbacks"],
    );
  });

  it("writes nothing that services would not start with, and says where it is wrong", async () => {
    for (const [args, says] of [
      [["add", "secret", "x", "--store", "devv", "--field", "token"], /did you mean "dev"/],
      [["add", "store", "s", "--kind", "openbao", "--address", "https://u:p@bao.internal", "--token", "env:T"], /user name or password/],
      [["add", "store", "s", "--kind", "openbao", "--address", "https://bao.internal", "--token", "s.token-itself"], /reference/],
      [["add", "store", "s", "--kind", "file", "--path", "x"], /key: is missing/],
      [["add", "store", "s", "--kind", "file", "--path", "x", "--key", "env:K", "--address", "https://b"], /not for a store of kind file/],
      [["add", "target", "t", "--base-url", "https://t", "--secret", "none", "--bearer", "token", "--allow", "GET /.."], /as a segment/],
      [["add", "target", "t", "--base-url", "https://t", "--secret", "none", "--bearer", "token", "--allow", "/x"], /GET \/v1/],
      [
        ["add", "target", "t", "--base-url", "https://t", "--secret", "none", "--basic", "svc", "--allow", "GET /x"],
        /no user with a field/,
      ],
      [
        [
          "add",
          "target",
          "t",
          "--base-url",
          "https://t",
          "--secret",
          "none",
          "--bearer",
          "t",
          "--preset",
          "no-calbacks",
          "--allow",
          "GET /x",
        ],
        /did you mean "no-callbacks"/,
      ],
    ] as const) {
      const ran = await connections(...args);
      assert.equal(ran.code, 2, ran.stderr);
      assert.match(ran.stderr, says);
      assert.equal(text(), original);
    }
    assert.deepEqual(readdirSync(folder), ["sallyport.yaml"]);
  });

  it("takes no name twice, unless told to replace", async () => {
    const add = ["add", "store", "dev", "--kind", "file", "--path", "other.jwe", "--key", "file:./dev.key"];
    assert.equal((await connections(...add)).code, 2);
    assert.equal(text(), original);
    await done(...add, "--replace");
    assert.match(text(), /other\.jwe/);
    await done("add", "issuer", "corp", "--issuer", "https://a.example", "--audience", "a");
    assert.equal((await connections("add", "issuer", "corp", "--issuer", "https://b.example", "--audience", "a")).code, 2);
    await done("add", "issuer", "corp", "--issuer", "https://b.example", "--audience", "a", "--replace");
    assert.deepEqual(
      config().trust.oidc.map(({ issuer }) => issuer),
      ["https://b.example"],
    );
  });

  it("removes what nothing needs, and refuses the rest", async () => {
    await done("add", "secret", "a/b", "--store", "dev", "--field", "token");
    await done("add", "issuer", "corp", "--issuer", "https://a.example", "--audience", "a");
    const needed = await connections("rm", "store", "dev");
    assert.equal(needed.code, 2);
    assert.match(needed.stderr, /there is no store "dev"/);
    await done("rm", "secret", "a/b");
    await done("rm", "store", "dev");
    await done("rm", "issuer", "corp");
    assert.deepEqual([config().stores, config().secrets, config().trust.oidc], [{}, {}, []]);
    for (const [what, name] of [
      ["store", "dev"],
      ["issuer", "corp"],
      ["target", "constructor"],
    ] as const)
      assert.equal((await connections("rm", what, name)).code, 2);
  });

  it("leaves a file that is already wrong as it is, and says where", async () => {
    writeFileSync(file, `${original}polices: ./p\n`);
    const ran = await connections("add", "secret", "a/b", "--store", "dev", "--field", "token");
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /did you mean "policies"/);
    writeFileSync(file, "version: [\n");
    assert.equal((await connections("rm", "store", "dev")).code, 2);
    assert.equal(text(), "version: [\n");
    assert.equal((await sallyport(["connections", "ls", "-c", join(folder, "none.yaml")])).code, 2);
  });

  it("writes through a link to the file that it points at", async () => {
    const link = join(folder, "link.yaml");
    symlinkSync(file, link);
    assert.equal((await sallyport(["connections", "add", "secret", "a/b", "--store", "dev", "--field", "token", "-c", link])).code, 0);
    assert.ok(config().secrets["a/b"]);
  });

  describe("test", () => {
    let server: Server;
    let port: number;
    before(async () => {
      server = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      port = (server.address() as { port: number }).port;
    });
    after(() => server.close());

    it("reaches a target as the broker would, or says why not", async () => {
      await done("add", "secret", "a/b", "--store", "dev", "--field", "token");
      const target = (name: string, url: string, ...more: string[]) =>
        done("add", "target", name, "--base-url", url, "--secret", "a/b", "--bearer", "token", "--allow", "GET /x", ...more);
      await target("near", `http://127.0.0.1:${port}`, "--network", "127.0.0.0/8");
      await target("closed", "http://127.0.0.1:1", "--network", "127.0.0.0/8");
      await target("private", `http://127.0.0.1:${port}`);
      assert.equal((await connections("test", "target", "near")).code, 0);
      assert.equal((await connections("test", "target", "closed")).code, 7);
      assert.match((await connections("test", "target", "private")).stderr, /^DESTINATION_NOT_ALLOWED/);
      assert.equal((await connections("test", "target", "none")).code, 2);
    });

    it("asks a store whether it serves", async () => {
      assert.equal((await connections("test", "store", "dev")).code !== 0, true);
      writeFileSync(join(folder, "dev.key"), Buffer.alloc(32, 7).toString("base64url"));
      const ran = await connections("test", "store", "dev");
      assert.equal(ran.code, 0, ran.stderr);
      assert.match(ran.stdout, /verified\s+yes/);
    });

    it("says of a store that its kind is unverified, whether it serves or not", async () => {
      writeFileSync(join(folder, "secret"), "canary-4711-client-secret");
      await done(
        ...["add", "store", "azure", "--kind", "azure-key-vault", "--address", "https://127.0.0.1:1", "--network", "127.0.0.0/8"],
        ...["--set", "authority=https://127.0.0.1:1", "--set", "auth.tenantId=t", "--set", "auth.clientId=c"],
        ...["--set", "auth.clientSecret=file:./secret"],
      );
      const ran = await connections("test", "store", "azure");
      assert.equal(ran.code, 7, ran.stderr);
      assert.match(ran.stderr, /Unverified: this kind of store/);
      assert.ok(!ran.stderr.includes("canary"));
    });
  });
});
