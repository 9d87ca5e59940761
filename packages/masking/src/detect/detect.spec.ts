import assert from "node:assert/strict";
import { categories } from "./detectors/catalogue.ts";
import { numbers } from "./detectors/numbers.ts";
import { tokens } from "./detectors/tokens.ts";
import { findings, near } from "./detectors.fixture.ts";
import { everything, masked, sameHoweverSplit } from "./look.fixture.ts";
import { lookAlikes } from "./look-alikes.fixture.ts";

const cases = [
  ...Object.entries(findings).flatMap(([category, texts]) => texts.map((text) => ({ category, before: "", text }))),
  ...Object.entries(near).flatMap(([category, texts]) => texts.map(([before, text]) => ({ category, before, text }))),
];

describe("detectors", () => {
  it("find each of their forms, in text and JSON, split at every byte", () => {
    for (const { category, before, text } of cases) {
      const body = `id 7, ${before}${text}, then`;
      assert.equal(sameHoweverSplit(everything, body), `id 7, ${before}[masked:${category}], then`, text);
      const value = JSON.stringify(body);
      assert.equal(
        sameHoweverSplit(everything, `{"a":${value}}`, "json"),
        JSON.stringify({ a: `id 7, ${before}[masked:${category}], then` }),
        text,
      );
    }
  });

  it("find them at a text's beginning and end, after an escaped line break, in a query and in quotes", () => {
    for (const { category, text } of cases.filter(({ before }) => before === "")) {
      assert.equal(masked(everything, text), `[masked:${category}]`, text);
      for (const [before, after] of [
        ["\\n", "\\n"],
        ["?q=", "&x=1"],
        ["'", "'"],
        ["(", ")"],
        [": ", ".\n"],
      ] as const)
        assert.equal(masked(everything, before + text + after), `${before}[masked:${category}]${after}`, before + text + after);
    }
  });

  it("find them in JSON however it is escaped, and leave it valid", () => {
    for (const [category, [text = ""]] of Object.entries(findings)) {
      const escaped = [...text].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
      assert.equal(sameHoweverSplit(everything, `["${escaped}"]`, "json"), `["[masked:${category}]"]`, text);
    }
    assert.equal(
      sameHoweverSplit(everything, '{"n":[4111111111111111, -4111111111111111,1]}', "json"),
      '{"n":["[masked:card]", "[masked:card]",1]}',
    );
  });

  it("find them in what is called JSON and is none, right behind numbers too", () => {
    for (const key of findings["private-key"]!) {
      assert.equal(sameHoweverSplit(everything, key, "json"), "[masked:private-key]");
      assert.equal(sameHoweverSplit(everything, `[1,2${key}]`, "json"), "[1,2[masked:private-key]]");
    }
    const key = findings["private-key"]![0]!;
    assert.equal(sameHoweverSplit(everything, `-+1-212-555-0123 ${key}`, "json"), "-[masked:phone] [masked:private-key]");
    assert.equal(sameHoweverSplit(everything, '{"a":12345678Z}', "json"), '{"a":[masked:es-dni]}');
  });

  it("leave what looks alike byte for byte, split at every byte", () => {
    for (const text of lookAlikes) {
      assert.equal(sameHoweverSplit(everything, text), text);
      for (const json of [JSON.stringify([text]), JSON.stringify({ [text]: 1 })])
        assert.equal(sameHoweverSplit(everything, json, "json"), json);
    }
  });

  it("that want a word beside a number do without where they are told to", () => {
    for (const [category, texts] of Object.entries(near))
      for (const [, text] of texts) {
        assert.equal(masked(everything, `x ${text} y`), `x ${text} y`);
        if (category !== "aws-secret")
          assert.equal(masked([{ detect: [category], do: "mask", anywhere: true }], `x ${text} y`), `x [masked:${category}] y`);
      }
    assert.equal(masked(everything, '{"bsn":"111222333","order":"123456782"}', "json"), '{"bsn":"[masked:nl-bsn]","order":"123456782"}');
  });

  it("are all in the catalogue, each with an example", () => {
    const known = new Set([...tokens, ...numbers].map(({ category }) => category));
    for (const category of known) assert.ok(categories.includes(category), category);
    assert.deepEqual([...new Set(cases.map(({ category }) => category))].toSorted(), categories.toSorted());
  });
});
