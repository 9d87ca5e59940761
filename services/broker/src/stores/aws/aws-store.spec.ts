import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { AwsStore as AwsConfig } from "@sallyport/service";
import { describeWith, moto } from "../../../../../test/support/servers.ts";
import { conformance } from "../conformance.ts";
import { AwsStore } from "./aws-store.ts";

const fields = (value: string) => new Map([["token", Buffer.from(value)]]);
const stores: AwsStore[] = [];

async function open(endpoint: string, more: Partial<AwsConfig> = {}, timeoutMs = 5000): Promise<AwsStore> {
  process.env.SALLYPORT_TEST_KEY_ID = "AKIATESTTESTTESTTEST";
  process.env.SALLYPORT_TEST_SECRET_KEY = "canary-4711-secret-access-key";
  const config: AwsConfig = {
    kind: "aws-secrets-manager",
    region: "eu-central-1",
    endpoint,
    auth: { accessKey: { id: "env:SALLYPORT_TEST_KEY_ID", secret: "env:SALLYPORT_TEST_SECRET_KEY" } },
    network: ["127.0.0.0/8"],
    ...more,
  };
  const store = await AwsStore.open("aws", config, timeoutMs);
  stores.push(store);
  return store;
}
afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())));

describeWith("AWS Secrets Manager, as moto emulates it", { aws: moto }, ({ aws }) => {
  conformance(async () => ({ store: await open(aws().address), path: `conformance/${randomUUID()}` }), {
    at: (address, timeoutMs) => open(address, {}, timeoutMs),
  });

  const call = async (target: string, body: object) => {
    const answer = await fetch(aws().address, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `secretsmanager.${target}`,
        authorization: "AWS4-HMAC-SHA256 Credential=x/20260101/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=x",
      },
      body: JSON.stringify(body),
    });
    return (await answer.json()) as Record<string, unknown>;
  };

  it("has what others wrote there: a text alone, bytes, an object of fields", async () => {
    const store = await open(aws().address);
    const name = () => `orders/${randomUUID()}`;
    const [plain, bytes, object] = [name(), name(), name()];
    await call("CreateSecret", { Name: plain, SecretString: "canary-4711", ClientRequestToken: randomUUID() });
    await call("CreateSecret", {
      Name: bytes,
      SecretBinary: Buffer.from([0, 255, 1]).toString("base64"),
      ClientRequestToken: randomUUID(),
    });
    await call("CreateSecret", {
      Name: object,
      SecretString: '{"user":"u","password":"canary-4712","port":5432}',
      ClientRequestToken: randomUUID(),
    });
    assert.equal((await store.read(plain)).fields.get("value")?.toString(), "canary-4711");
    assert.deepEqual([...((await store.read(bytes)).fields.get("value") ?? [])], [0, 255, 1]);
    assert.deepEqual([...(await store.read(object)).fields].map(String), ["user,u", "password,canary-4712"]);
    await store.write(plain, new Map([["value", Buffer.from("canary-4713")]]));
    assert.equal((await call("GetSecretValue", { SecretId: plain, VersionStage: "AWSCURRENT" })).SecretString, "canary-4713");
  });

  it("writes the first version of a secret that somebody made without one", async () => {
    const store = await open(aws().address);
    const path = `orders/${randomUUID()}`;
    await call("CreateSecret", { Name: path });
    await store.write(path, fields("canary-4711"));
    assert.equal((await store.read(path)).fields.get("token")?.toString(), "canary-4711");
  });

  it("leaves no label of its own behind", async () => {
    const store = await open(aws().address);
    const path = `orders/${randomUUID()}`;
    const first = await store.write(path, fields("canary-1"));
    const second = await store.write(path, fields("canary-2"));
    const { VersionIdsToStages: stages } = (await call("DescribeSecret", { SecretId: path })) as { VersionIdsToStages: object };
    assert.deepEqual(stages, { [first]: ["AWSPREVIOUS"], [second]: ["AWSCURRENT"] });
  });

  it("is signed in to by a role that the platform's token may assume", async () => {
    process.env.SALLYPORT_TEST_JWT = "canary-4711.platform.token";
    const store = await open(aws().address, {
      auth: {
        webIdentity: { roleArn: "arn:aws:iam::123456789012:role/broker", token: "env:SALLYPORT_TEST_JWT", endpoint: aws().address },
      },
    });
    const path = `orders/${randomUUID()}`;
    await store.write(path, fields("canary-4711"));
    assert.equal((await store.read(path)).fields.get("token")?.toString(), "canary-4711");
    assert.equal(store.ownCredentials().length, 2);
  });
});

describe("AWS Secrets Manager", () => {
  it("is not reached where its address is not listed, and takes no credential from the environment", async () => {
    const store = await open("http://127.0.0.1:1", { network: [] });
    await assert.rejects(store.read("orders/api"), /stores\.aws\.network/);
    await assert.rejects(
      open("http://127.0.0.1:1", { auth: { accessKey: { id: "env:SALLYPORT_TEST_UNSET", secret: "env:SALLYPORT_TEST_UNSET" } } }),
      /stores\.aws\.auth\.accessKey/,
    );
  });
});
