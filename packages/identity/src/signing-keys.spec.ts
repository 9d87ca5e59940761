import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { CredentialKeys } from "./credential-keys.ts";
import { parseSigningKeys, publishedAt, rotateSigningKeys, signerAt } from "./signing-keys.ts";

const start = 1_700_000_000_000;
const newJwk = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
const kidsAt = (text: string, now: number): string[] =>
  JSON.parse(publishedAt(parseSigningKeys(text), now)).keys.map(({ kid }: { kid: string }) => kid);
const signerOf = (text: string, now: number) => signerAt(parseSigningKeys(text), now).kid;

describe("the keys that sign credentials", () => {
  const first = JSON.stringify({ ...newJwk(), kid: "first" });

  it("may be one, as init makes it", () => {
    assert.equal(signerOf(first, start), "first");
    assert.deepEqual(kidsAt(first, start), ["first"]);
    assert.match(signerOf(JSON.stringify(newJwk()), start), /^[A-Za-z0-9_-]{43}$/);
  });

  it("overlap: the new one is published before it signs, the old one after it signed", () => {
    const { text, kid } = rotateSigningKeys(first, { now: start, signsIn: 120, keptFor: 3600 });
    assert.deepEqual([signerOf(text, start), kidsAt(text, start)], ["first", ["first", kid]]);
    assert.equal(signerOf(text, start + 119_000), "first");
    assert.deepEqual([signerOf(text, start + 120_000), kidsAt(text, start + 120_000)], [kid, ["first", kid]]);
    assert.deepEqual(kidsAt(text, start + (120 + 3600) * 1000 - 1), ["first", kid]);
    assert.deepEqual(kidsAt(text, start + (120 + 3600) * 1000), [kid]);
  });

  it("publish nothing private, and what whoever verifies reads", () => {
    const { text } = rotateSigningKeys(first, { now: start, signsIn: 1, keptFor: 60 });
    const jwks = publishedAt(parseSigningKeys(text), start);
    for (const { d } of JSON.parse(text).keys) assert.ok(!jwks.includes(d));
    assert.ok(CredentialKeys.parse(jwks).get("first"));
  });

  it("keep the secret of the state, however often they are rotated", () => {
    let text = first;
    for (let round = 1; round <= 5; round++) text = rotateSigningKeys(text, { now: start + round * 10_000, signsIn: 1, keptFor: 5 }).text;
    assert.deepEqual(parseSigningKeys(text).stateSecret, parseSigningKeys(first).stateSecret);
    assert.equal(JSON.parse(text).keys.length, 2, "those that nobody needs are gone from the file");
  });

  it("are not rotated again while a new one waits, nor beyond what whoever verifies takes in", () => {
    const { text } = rotateSigningKeys(first, { now: start, signsIn: 60, keptFor: 60 });
    assert.throws(() => rotateSigningKeys(text, { now: start + 1000, signsIn: 60, keptFor: 60 }), /waits already/);
    let many = first;
    const often = () => {
      for (let round = 1; round <= 20; round++)
        many = rotateSigningKeys(many, { now: start + round * 2000, signsIn: 1, keptFor: 3600 }).text;
    };
    assert.throws(often, /rotate less often/);
    assert.equal(JSON.parse(many).keys.length, 16);
  });

  it("always sign with one that is published", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ after: fc.nat(500), signsIn: fc.nat(100), keptFor: fc.integer({ min: 1, max: 300 }) }), { maxLength: 6 }),
        (rounds) => {
          let [text, now] = [first, start];
          for (const { after, signsIn, keptFor } of rounds) {
            now += after * 1000;
            try {
              ({ text } = rotateSigningKeys(text, { now, signsIn, keptFor }));
            } catch (error) {
              assert.match((error as Error).message, /waits already/);
            }
            for (let later = now; later < now + 500_000; later += 50_000) assert.ok(kidsAt(text, later).includes(signerOf(text, later)));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("are refused where they are none, without a word of what they are", () => {
    const jwk = newJwk();
    const { d: _, ...bare } = jwk;
    const secret = Buffer.alloc(32, 1).toString("base64url");
    for (const [file, says] of [
      ["{", /JSON/],
      [[], /JSON/],
      [{}, /P-256/],
      [bare, /P-256/],
      [{ ...jwk, d: "AAAA" }, /malformed/],
      [{ keys: [], state_secret: secret }, /1 to 16/],
      [{ keys: [jwk] }, /state_secret/],
      [{ keys: [jwk, jwk], state_secret: secret }, /share a kid/],
      [{ keys: [{ ...jwk, nbf: "soon" }], state_secret: secret }, /nbf or exp/],
      [{ keys: [{ ...jwk, nbf: 10, exp: 10 }], state_secret: secret }, /nbf or exp/],
    ] as const) {
      assert.throws(
        () => parseSigningKeys(typeof file === "string" ? file : JSON.stringify(file)),
        (error: Error) => says.test(error.message) && !error.message.includes(String(jwk.d)),
      );
    }
    const waiting = JSON.stringify({ keys: [{ ...jwk, nbf: start / 1000 + 1 }], state_secret: secret });
    assert.throws(() => signerOf(waiting, start), /may sign now/);
  });
});
