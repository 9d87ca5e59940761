import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configJsonSchema, loadConfig, parseConfig, resolveReference } from "./index.ts";
import { problems } from "./problems.fixture.ts";

const head = "version: 1\ntrustDomain: example.internal\n";

describe("sallyport.yaml", () => {
  it("needs little, and fills in the rest", () => {
    const config = parseConfig(head, "/etc/sallyport/sallyport.yaml");
    assert.equal(config.audience, "https://example.internal");
    assert.equal(config.dataDir, "/etc/sallyport/data");
    assert.deepEqual(config.listen.agents, { host: "127.0.0.1", port: 7443 });
    assert.deepEqual([config.state, config.evidence.mode, config.authn.maxDepth], ["sqlite", "journal", 8]);
  });

  it("takes the whole shape of the design", () => {
    const config = parseConfig(
      `${head}audience: https://sallyport.example
state: redis://127.0.0.1:6379
evidence: { mode: strict, kafka: { brokers: ["127.0.0.1:9092"], topic: sallyport.evidence } }
trust:
  oidc:
    - { name: corp, issuer: https://idp.example.com/realms/corp, audience: sallyport, algorithms: [ES256], groups: { claim: groups } }
    - { name: ci, issuer: https://token.actions.example, audience: sallyport, algorithms: [RS256], kind: pipeline, owner: { claim: actor }, singleUse: true }
stores:
  vault: { kind: openbao, address: https://bao.internal:8200, auth: { approle: { roleId: env:BAO_ROLE, secretId: file:./bao.id } } }
secrets:
  prod/orders/api: { store: vault, path: secret/orders/api, fields: [token], categories: [payments, high-value] }
  prod/orders/db: { store: vault, fields: [password] }
targets:
  orders-api:
    kind: http
    baseUrl: https://orders.internal
    secret: prod/orders/api
    inject: { bearer: token }
    allow: [{ method: GET, path: "/v1/orders/{id}" }, { method: POST, path: /v1/refunds }]
services:
  broker: { listen: { agents: 0.0.0.0:7443 }, peers: { pdp: pdp.internal:7445 } }
`,
      "/etc/sallyport.yaml",
    );
    assert.deepEqual(config.services.broker.peers.pdp, { host: "pdp.internal", port: 7445 });
    assert.equal(config.secrets["prod/orders/db"]?.path, "prod/orders/db");
    const vault = config.stores.vault;
    assert.ok(vault?.kind === "openbao" && vault.auth.approle?.secretId === "file:/etc/bao.id" && vault.mount === "secret");
  });

  it("says where a typo is, and what was meant", () => {
    assert.equal(problems(`${head}polices: ./p`), 'sallyport.yaml:3:1: polices: there is no such setting – did you mean "policies"?');
    assert.match(
      problems(`${head}stores:\n  vault: { kind: openboa, address: https://b }`),
      /4:18: stores\.vault\.kind: must be "file" or .*"openbao" or .* – did you mean "openbao"\?/,
    );
    assert.match(
      problems(`${head}stores:\n  vault: { address: https://b }`),
      /4:3: stores\.vault\.kind: is missing; must be "file" or .*"openbao"/,
    );
    assert.match(
      problems(`${head}evidence: { mode: stric }`),
      /3:19: evidence\.mode: must be "journal" or "strict" – did you mean "strict"\?/,
    );
    assert.match(problems(`${head}targets:\n  t: { kind: htp }`), /targets\.t\.kind: must be "http"/);
    assert.match(problems(`${head}listen: { agents: "7443" }`), /listen\.agents: must be host:port/);
    for (const range of ["10.0.0.0", "10.0.0.0/33", "localhost", '"fd00::/129"'])
      assert.match(
        problems(`${head}proxy: { network: [${range}] }`),
        /proxy\.network\.0: must be an address range, such as 10\.0\.0\.0\/8 or fd00::\/8$/,
      );
  });

  it("reports every problem at once", () => {
    assert.equal(problems("version: 2\ntrustDomain: Ex\nstate: mysql\n").split("\n").length, 3);
  });

  it("refuses unknown kinds of injection, and more than one", () => {
    const target = (inject: string) =>
      `${head}stores: { d: { kind: file, path: x, key: env:K } }\nsecrets: { s: { store: d, fields: [t] } }\ntargets:\n  t: { kind: http, baseUrl: http://x, secret: s, inject: ${inject}, allow: [{ method: GET, path: /x }] }`;
    assert.match(problems(target("{ cokie: t }")), /6:\d+: targets\.t\.inject\.cokie: there is no such setting – did you mean "cookie"\?/);
    assert.match(problems(target("{ bearer: t, header: { name: X-Key, field: t } }")), /exactly one of "bearer", "header"/);
    assert.match(problems(target("{}")), /exactly one of/);
    assert.match(problems(target("{ basic: { user: a, userField: t, password: t } }")), /exactly one of "user", "userField"/);
    assert.match(problems(target("{ basic: { user: 'a:b', password: t } }")), /without a colon/);
    assert.match(problems(target("{ basic: { userField: u, password: t } }")), /inject\.basic\.userField: there is no field of s "u"/);
    assert.match(problems(target("{ body: { pointer: '/a/*', field: t } }")), /must name one place/);
    assert.match(problems(target("{ body: { pointer: a, field: t } }")), /JSON Pointer/);
    for (const good of [
      "{ basic: { user: svc, password: t } }",
      "{ query: { name: key, field: t } }",
      "{ cookie: { name: sid, field: t } }",
      "{ body: { pointer: /auth/token, field: t } }",
      "{ form: { name: token, field: t } }",
    ])
      assert.ok(parseConfig(target(good), "x.yaml"), good);
    assert.match(problems(target("{ header: { name: Host, field: t } }")), /frames or routes/);
    assert.match(problems(target("{ bearer: tt }")), /there is no field of s "tt" – did you mean "t"\?/);
    assert.ok(parseConfig(target("{ header: { name: X-Key, field: t } }"), "x.yaml"));
  });

  it("keeps secrets out of the file", () => {
    assert.match(problems(`${head}state: redis://user:pass@host:6379`), /user name or password/);
    assert.match(problems(`${head}stores:\n  v: { kind: openbao, address: https://b, auth: { token: hvs.abc } }`), /must be a reference/);
    assert.doesNotMatch(problems(`${head}stores:\n  v: { kind: openbao, address: https://b, auth: { token: hvs.abc } }`), /hvs/);
    assert.match(
      problems(`${head}stores:\n  v: { kind: openbao, address: "https://u:p@b", auth: { token: env:T } }`),
      /user name or password/,
    );
    assert.equal(parseConfig(`${head}state: env:REDIS`, "x.yaml", { REDIS: "redis://u:p@h:1" }).state, "redis://u:p@h:1");
  });

  it("accepts asymmetric algorithms only", () => {
    const provider = (algorithm: string) =>
      `${head}trust: { oidc: [{ name: a, issuer: "https://i", audience: s, algorithms: [${algorithm}] }] }`;
    for (const algorithm of ["HS256", "none", "None"]) assert.match(problems(provider(algorithm)), /algorithms\.0: must be "ES256"/);
  });

  it("refuses duplicate keys, broken YAML and files that are none", () => {
    assert.match(problems(`${head}state: sqlite\nstate: sqlite\n`), /sallyport\.yaml:4:1: Map keys must be unique/);
    assert.match(problems("version: [1"), /sallyport\.yaml:\d+:\d+: /);
    assert.match(problems("- 1"), /must be a mapping/);
  });

  it("refuses names, paths and templates that could be read in two ways", () => {
    assert.match(problems(`${head}secrets: { "a/../b": { store: d, fields: [t] } }`), /segments/);
    assert.match(problems(`${head}targets: { t: { kind: http, allow: [{ method: GET, path: "/a/../b" }] } }`), /allow\.0\.path/);
    assert.match(problems(`${head}targets: { t: { kind: http, allow: [{ method: get, path: "/a?x=1" }] } }`), /allow\.0\.method/);
  });

  it("is overridden by the environment, which is named where it is wrong", () => {
    const config = parseConfig(head, "x.yaml", { SALLYPORT_STATE: "redis://h:1", SALLYPORT_KAFKA_BROKERS: "a:1, b:2" });
    assert.equal(config.state, "redis://h:1");
    assert.deepEqual(config.evidence.kafka?.brokers, ["a:1", "b:2"]);
    assert.match(problems(head, { SALLYPORT_STATE: "oracle" }), /^SALLYPORT_STATE: state: must be sqlite/);
  });

  it("says what is wrong with the file itself", async () => {
    await assert.rejects(loadConfig("/no/such/sallyport.yaml"), /no such file; `sallyport init`/);
    await assert.rejects(loadConfig(tmpdir()), /cannot be read/);
  });
});

describe("a reference", () => {
  it("is resolved without its last line break, or refused by name without its value", () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-reference-"));
    const file = join(folder, "id");
    writeFileSync(file, "value\n");
    assert.equal(resolveReference(`file:${file}`, "x"), "value");
    assert.equal(resolveReference("env:A", "x", { A: "b" }), "b");
    assert.throws(() => resolveReference("env:NONE", "stores.v.auth.token", {}), /stores\.v\.auth\.token: the environment has no NONE/);
    assert.throws(() => resolveReference(`file:${folder}/none`, "x"), /does not exist/);
    writeFileSync(file, "\n");
    assert.throws(() => resolveReference(`file:${file}`, "x"), /is empty/);
  });
});

describe("the published schema", () => {
  it("is the one that the code has; `node test/check/config-schema.ts --write` writes it", () => {
    const published = JSON.parse(readFileSync(new URL("../../../../docs/sallyport.schema.json", import.meta.url), "utf8"));
    assert.deepEqual(published, configJsonSchema());
  });
});
