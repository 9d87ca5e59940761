import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { BytesEncoding, GeneratedValueSchema, KeyAlgorithm, type Refusal } from "@sallyport/contracts";
import { refusalFor } from "@sallyport/masking";
import fc from "fast-check";
import { generatorFor } from "./generator.ts";
import { randomText } from "./random-text.ts";

type Kind = MessageInitShape<typeof GeneratedValueSchema>["kind"];
const generator = (kind?: Kind) => generatorFor("token", create(GeneratedValueSchema, kind === undefined ? {} : { kind }));
const made = (kind: Kind) => generator(kind)();

describe("a value that the broker makes up", () => {
  it("is a text of the length and the characters that were asked for, another one each time, and can be masked", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 16, max: 1024 }),
        fc.uniqueArray(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 32, maxLength: 94 }),
        async (length, codes) => {
          const alphabet = String.fromCharCode(...codes);
          const [one, two] = await Promise.all([
            made({ case: "text", value: { length, alphabet } }),
            made({ case: "text", value: { length, alphabet } }),
          ]);
          assert.equal(one.value.length, length);
          assert.ok([...one.value.toString("latin1")].every((character) => alphabet.includes(character)));
          assert.notDeepEqual(one.value, two.value);
          assert.equal(refusalFor(one.value), undefined);
        },
      ),
      { numRuns: 50 },
    ));

  it("draws each character alike", () => {
    const counts = new Map<number, number>();
    for (const code of randomText(62_000, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"))
      counts.set(code, (counts.get(code) ?? 0) + 1);
    assert.equal(counts.size, 62);
    // 1000 are expected of each, with a deviation of 31: seven of them happen once in 10^10 runs.
    for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 220, `${count}`);
  });

  it("is 32 letters and digits, or bytes in the encoding that was asked for", async () => {
    assert.match((await made({ case: "text", value: {} })).value.toString(), /^[A-Za-z0-9]{32}$/);
    assert.match((await made({ case: "bytes", value: { encoding: BytesEncoding.HEX } })).value.toString(), /^[0-9a-f]{64}$/);
    assert.match((await made({ case: "bytes", value: { length: 20, encoding: BytesEncoding.BASE64URL } })).value.toString(), /^[\w-]{27}$/);
    assert.match((await made({ case: "bytes", value: { length: 16, encoding: BytesEncoding.BASE64 } })).value.toString(), /^[\w+/]{22}==$/);
  });

  it("is a private key, with the public one to go on with", async function () {
    this.timeout(30_000);
    for (const [algorithm, type] of [
      [KeyAlgorithm.ED25519, "ed25519"],
      [KeyAlgorithm.P256, "ec"],
      [KeyAlgorithm.RSA_3072, "rsa"],
    ] as const) {
      const { value, publicKey } = await made({ case: "keyPair", value: { algorithm } });
      const key = createPrivateKey(value);
      assert.equal(key.asymmetricKeyType, type);
      assert.equal(createPublicKey(key).export({ type: "spki", format: "pem" }), publicKey);
      assert.ok(publicKey?.startsWith("-----BEGIN PUBLIC KEY-----"));
    }
  });

  it("is refused where it is not asked for exactly, or could be guessed", () => {
    for (const kind of [
      undefined,
      { case: "text", value: { length: 15 } },
      { case: "text", value: { length: 1025 } },
      { case: "text", value: { length: 20, alphabet: "01" } },
      { case: "text", value: { alphabet: "a" } },
      { case: "text", value: { alphabet: "abca" } },
      { case: "text", value: { alphabet: "abc def" } },
      { case: "text", value: { alphabet: "zwölf" } },
      { case: "bytes", value: { length: 32 } },
      { case: "bytes", value: { length: 32, encoding: 9 } },
      { case: "bytes", value: { length: 4, encoding: BytesEncoding.HEX } },
      { case: "keyPair", value: {} },
      { case: "keyPair", value: { algorithm: 77 } },
    ] as (Kind | undefined)[])
      assert.throws(
        () => generator(kind),
        (error: Refusal) => error.reason === "INVALID_REQUEST" && /cannot be generated/.test(error.message),
      );
  });
});
