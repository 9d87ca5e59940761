import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { MaskSet, maskHeaderValue } from "@sallyport/masking";
import { CleanTexts } from "./clean-texts.ts";

const setOf = (value: string) => MaskSet.compile([{ placeholder: "[masked]", value: Buffer.from(value) }]);

describe("texts that are known to be clean", () => {
  it("are looked at once for each set, and those with a value in them each time", () => {
    const looked: string[] = [];
    const texts = new CleanTexts((set, text) => {
      looked.push(text);
      return maskHeaderValue(set, text);
    });
    const set = setOf("canary-4711");
    for (let round = 0; round < 3; round++) {
      assert.equal(texts.mask(set, "application/json"), "application/json");
      assert.equal(texts.mask(set, "Bearer canary-4711"), "Bearer [masked]");
    }
    assert.deepEqual(looked, ["application/json", ...Array.from({ length: 3 }, () => "Bearer canary-4711")]);
  });

  it("say nothing of another set: what one tree may see is another's secret", () => {
    const texts = new CleanTexts(maskHeaderValue);
    assert.equal(texts.mask(setOf("canary-4711"), "token-0815-x"), "token-0815-x");
    assert.equal(texts.mask(setOf("token-0815-x"), "token-0815-x"), "[masked]");
  });

  it("are not kept as they are: one may hold what is registered as a secret later", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [new URL("./clean-texts.fixture.ts", import.meta.url).pathname]);
    assert.deepEqual(JSON.parse(stdout), { held: false, whole: true, remembers: "GET /v1/other" });
  });

  it("are bounded in number and length, and end with their set", () => {
    let looked = 0;
    const texts = new CleanTexts((_, text) => {
      looked++;
      return text;
    });
    const set = setOf("canary-4711");
    const long = "x".repeat(257);
    for (let round = 0; round < 2; round++) texts.mask(set, long);
    assert.equal(looked, 2);
    for (let n = 0; n < 600; n++) texts.mask(set, `text ${n}`);
    looked = 0;
    texts.mask(set, "text 599");
    assert.equal(looked, 0);
    texts.mask(set, "text 0");
    assert.equal(looked, 1, "the oldest went");
    set.erase();
    assert.throws(() => texts.mask(set, "text 599"));
  });
});
