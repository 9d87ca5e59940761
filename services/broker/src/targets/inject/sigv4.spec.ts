import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import { MaskSet, maskText, placeholderFor } from "@sallyport/masking";
import { systemClock } from "@sallyport/service";
import { describeWith } from "../../../../../test/support/describe-with.ts";
import { signedAws } from "../../../../../test/support/servers/signed-aws.ts";
import { type Operation, unfit } from "../operation.ts";
import { Sender } from "../sender.ts";
import { signV4 } from "./sigv4.ts";
import { listen, operationOf, type Sketch, services, targetConfig } from "./targets.fixture.ts";

const settings = { accessKeyId: "id", secretAccessKey: "key", sessionToken: undefined, service: "s3", region: "us-east-1" };
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("AWS Signature Version 4", () => {
  describe("is the one of AWS's published examples for S3", () => {
    const fields = new Map([
      ["id", Buffer.from("AKIAIOSFODNN7EXAMPLE")],
      ["key", Buffer.from("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")],
    ]);
    const signatureOf = async (method: string, sent: string, headers: [string, string][] = [], body = "") => {
      const operation = { method, sent, headers, body: Buffer.from(body), bodyHash: sha256(body) } as unknown as Operation;
      const now = Date.parse("2013-05-24T00:00:00Z");
      const injected = await signV4(operation, settings, fields, new URL("https://examplebucket.s3.amazonaws.com"), now);
      const authorization = new Map(injected.headers).get("authorization") ?? "";
      return /Signature=(\w+)$/.exec(authorization)?.[1];
    };
    it("GET object, with a range", async () =>
      assert.equal(
        await signatureOf("GET", "/test.txt", [["range", "bytes=0-9"]]),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
      ));
    it("GET bucket lifecycle", async () =>
      assert.equal(await signatureOf("GET", "/?lifecycle"), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
    it("GET bucket, listing objects", async () =>
      assert.equal(await signatureOf("GET", "/?max-keys=2&prefix=J"), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
  });

  describeWith("at an S3 that checks signatures (moto)", { aws: signedAws }, ({ aws }) => {
    const config = (more = "") =>
      targetConfig(
        Number(new URL(aws().address).port),
        `    inject: { sigv4: { accessKeyId: id, secretAccessKey: key, service: s3, region: us-east-1 } }${more}`,
        ["id", "key"],
      );
    const call = async (sketch: Sketch, change: (operation: Operation) => Operation = (operation) => operation, keyIs?: string) => {
      const operation = change(operationOf(config(), sketch));
      const refusal = unfit(operation);
      if (refusal !== undefined) throw refusal;
      const fields = new Map([
        ["id", Buffer.from(aws().accessKeyId)],
        ["key", Buffer.from(keyIs ?? aws().secretAccessKey)],
      ]);
      const inject = config().inject?.sigv4 ?? assert.fail("no sigv4");
      const injected = await signV4(operation, inject, fields, new URL(aws().address), systemClock.now());
      const sender = new Sender({ targets: { api: config() }, listen, services });
      const answer = await sender.send(operation, injected, new AbortController().signal);
      const pieces: Uint8Array[] = [];
      for await (const piece of answer.body) pieces.push(piece);
      return { status: answer.status, text: Buffer.concat(pieces).toString(), injected };
    };

    it("puts, lists and gets objects", async function () {
      this.timeout(60_000);
      assert.equal((await call({ method: "PUT", path: "/orders" })).status, 200);
      const body = "line one\nline two \u00e9";
      const key = "/orders/2026/a-b.txt";
      const put = await call({ method: "PUT", path: key, headers: { "content-type": "text/plain", "x-amz-meta-note": "a b" }, body });
      assert.equal(put.status, 200, put.text);
      assert.equal((await call({ path: key })).text, body);
      const listed = await call({ path: "/orders?list-type=2" });
      assert.match(listed.text, /<Key>2026\/a-b\.txt<\/Key>/);
    });

    it("is the one that AWS's own library makes, of paths, queries and headers that need care", async () => {
      const oracle = `import sys, json
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
out = []
for c in json.load(sys.stdin):
    r = AWSRequest(method=c["method"], url=c["url"], headers=c["headers"])
    r.context["timestamp"] = c["headers"]["x-amz-date"]
    a = (S3SigV4Auth if c["service"] == "s3" else SigV4Auth)(Credentials("AKIDEXAMPLE", "canary-secret-key"), c["service"], "eu-central-1")
    out.append(a.signature(a.string_to_sign(r, a.canonical_request(r)), r))
print(json.dumps(out))`;
      const fields = new Map([
        ["id", Buffer.from("AKIDEXAMPLE")],
        ["key", Buffer.from("canary-secret-key")],
      ]);
      const cases = [];
      const ours: (string | undefined)[] = [];
      for (const service of ["s3", "execute-api"]) {
        for (const path of [
          "/a/b",
          "/a%20b%3D%C3%A9/c%2Fd",
          "/x?b=2&a=1&a=0",
          "/x?empty=&flag&e=%20%2B%2F~",
          "/y/?z=%C3%A9",
          "/_search:do",
        ]) {
          const sketch = { method: "PUT", path, headers: { "x-amz-meta-note": "a  b   c", "content-type": "text/plain" }, body: "hé" };
          const operation = operationOf(config(), sketch);
          const base = new URL("https://api.example.com:8443/base/");
          const injected = await signV4(operation, { ...settings, service, region: "eu-central-1" }, fields, base, 1_790_000_000_000);
          const { authorization = "", ...headers } = Object.fromEntries(injected.headers);
          ours.push(/Signature=(\w+)$/.exec(authorization)?.[1]);
          cases.push({ service, method: "PUT", url: `https://api.example.com:8443/base${injected.sent}`, headers });
        }
      }
      const { stdout } = spawnSync("python3", ["-c", oracle], {
        input: JSON.stringify(cases),
        encoding: "utf8",
        env: { ...process.env, PYTHONPATH: aws().modules },
      });
      assert.deepEqual(ours, JSON.parse(stdout));
    });

    it("is refused by AWS where the key is another: the signature is really looked at", async () => {
      const wrong = await call({ path: "/orders" }, undefined, "x".repeat(40));
      assert.equal(wrong.status, 403);
      assert.match(wrong.text, /SignatureDoesNotMatch/);
    });

    it("replaces what the agent's own tool signed with, and signs the body that is sent", async () => {
      const answer = await call({
        method: "PUT",
        path: "/orders/x.txt",
        headers: { "x-amz-date": "20130101T000000Z", "x-amz-content-sha256": sha256("another"), "x-amz-security-token": "agents-own" },
        body: "hello",
      });
      assert.equal(answer.status, 200, answer.text);
      const byName = new Map(answer.injected.headers);
      assert.equal(byName.get("x-amz-content-sha256"), sha256("hello"));
      assert.equal(byName.has("x-amz-security-token"), false);
      assert.equal(new Set(answer.injected.headers.map(([name]) => name)).size, answer.injected.headers.length);
    });

    it("refuses a presigned query, signed chunks and a query that is read in two ways", async () => {
      const refused = (sketch: Sketch, sentence: RegExp) =>
        assert.rejects(
          call(sketch),
          (error: unknown) => error instanceof Refusal && error.reason === "INVALID_REQUEST" && sentence.test(error.message),
        );
      await refused({ path: "/orders?X-Amz-Signature=00&X-Amz-Credential=x" }, /presigned/);
      await refused({ path: "/orders?x-amz-security-token=mine" }, /presigned/);
      await refused({ path: "/orders?prefix=a+b" }, /%20/);
      await refused({ method: "PUT", path: "/orders/x", headers: { "x-amz-decoded-content-length": "5" }, body: "5\r\nhello" }, /chunks/);
    });

    it("hands the signature over to be masked, in whatever case or encoding it comes back", async () => {
      const { injected } = await call({ path: "/orders" });
      const signature = /Signature=(\w+)$/.exec(new Map(injected.headers).get("authorization") ?? "")?.[1] ?? "";
      const set = MaskSet.compile(injected.derived.map(({ what, value }) => ({ placeholder: placeholderFor("prod/api", what), value })));
      for (const shown of [
        signature,
        signature.toUpperCase(),
        Buffer.from(signature, "hex").toString("base64"),
        Buffer.from(signature).toString("base64"),
      ])
        assert.ok(!maskText(set, `<${shown}>`).includes(shown.slice(8, 24)), shown);
      assert.ok(injected.derived.every(({ once }) => once));
    });
  });
});
