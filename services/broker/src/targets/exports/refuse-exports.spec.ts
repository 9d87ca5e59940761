import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import { encodingsOf, MaskSet, placeholderFor } from "@sallyport/masking";
import { operationOf, type Sketch, targetConfig } from "../inject/targets.fixture.ts";
import { type Operation, withUpload } from "../operation.ts";
import { withoutExports } from "./refuse-exports.ts";

const canary = "canary-4711/with+more";
const secrets = MaskSet.compile([{ placeholder: placeholderFor("prod/other", "token"), value: Buffer.from(canary) }]);
const config = targetConfig(1, "    inject: { bearer: token }", ["token"]);

describe("a secret's value in what an agent sends", () => {
  const blocked = (error: unknown, where: RegExp, effect = "none") => {
    assert.ok(error instanceof Refusal && error.reason === "GUARDRAIL_BLOCKED", String(error));
    assert.equal(error.metadata.rule, "secret-in-request");
    assert.equal(error.metadata.effect, effect);
    assert.match(error.message, where);
    assert.ok(!error.message.includes(canary));
    return true;
  };
  const refused = (sketch: Sketch, where: RegExp) =>
    assert.throws(
      () => withoutExports(operationOf(config, sketch), secrets),
      (error: unknown) => blocked(error, where),
      JSON.stringify(sketch),
    );

  it("is a blocked export, in the path, the query, a header and the body, and says which secret's it is", () => {
    refused({ path: `/v1/${encodeURIComponent(canary)}` }, /the path/);
    refused({ path: `/v1?a=${canary.replace("/", "%2F")}` }, /the query holds the value of \[sallyport:prod\/other#token\]/);
    refused({ headers: { "x-note": `a ${canary} b` } }, /the header x-note/);
    refused({ method: "POST", body: `a ${canary} b` }, /the body holds the value of \[sallyport:prod\/other#token\]/);
  });

  it("is blocked in every encoding that the masker knows", () => {
    for (const { encoding, bytes } of encodingsOf(canary)) {
      const operation = { ...operationOf(config, { method: "POST" }), body: Buffer.concat([Buffer.from("<"), bytes, Buffer.from(">")]) };
      assert.throws(
        () => withoutExports(operation, secrets),
        (error: unknown) => blocked(error, /the body/),
        encoding,
      );
    }
  });

  it("is found in an upload wherever it is cut, before any part of it is on its way", async () => {
    const text = `${"x".repeat(50)}${canary}${"y".repeat(50)}`;
    for (let at = 45; at < 80; at++) {
      let passed = "";
      const upload = uploading([text.slice(0, at), text.slice(at)]);
      await assert.rejects(
        async () => {
          for await (const piece of withoutExports(upload, secrets).upload?.pieces ?? []) passed += Buffer.from(piece).toString();
        },
        (error: unknown) => blocked(error, /the body/, "unknown"),
      );
      assert.ok("x".repeat(50).startsWith(passed), passed);
    }
  });

  it("benign twin: what holds none passes byte for byte, in one piece or in many", async () => {
    const text = `canary-4711 ${Buffer.from("canary").toString("base64")} \u00e9 canary-4711/with`;
    const operation = operationOf(config, { method: "POST", path: "/v1/canary?x=4711", headers: { "x-note": "canary-4711" }, body: text });
    assert.equal(withoutExports(operation, secrets), operation);
    for (const size of [1, 7, 1000]) {
      const pieces = text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? [];
      let passed = "";
      for await (const piece of withoutExports(uploading(pieces), secrets).upload?.pieces ?? [])
        passed += Buffer.from(piece).toString("latin1");
      assert.equal(Buffer.from(passed, "latin1").toString(), text);
    }
  });

  it("is what a placeholder in an upload is taken for, too", async () => {
    const upload = uploading(["a [sally", "port:prod/api#token] b"]);
    await assert.rejects(
      async () => {
        for await (const _ of withoutExports(upload, secrets).upload?.pieces ?? []);
      },
      (error: unknown) => error instanceof Refusal && error.reason === "GUARDRAIL_BLOCKED" && error.metadata.rule === "placeholder",
    );
  });
});

function uploading(pieces: readonly string[]): Operation {
  const bytes = pieces.map((piece) => Buffer.from(piece));
  const all = Buffer.concat(bytes);
  return withUpload(operationOf(config, { method: "PUT" }), {
    size: all.length,
    sha256: createHash("sha256").update(all).digest("hex"),
    pieces: (async function* () {
      yield* bytes;
    })(),
  });
}
