import assert from "node:assert/strict";
import fc from "fast-check";
import { type DataFormat, DataMasker, DataRefused } from "./data-masker.ts";
import { compileRules, type DataRule } from "./data-rules.ts";
import { DataUnreadable } from "./data-unreadable.ts";
import { findings } from "./detectors.fixture.ts";
import { customPatternProblem } from "./find/custom-pattern.ts";
import { pathProblem } from "./json/json-path.ts";
import { everything, looked, masked, sameHoweverSplit } from "./look.fixture.ts";
import { lookAlikes } from "./look-alikes.fixture.ts";

const card = "4111111111111111";

describe("a data-masking rule", () => {
  it("masks, hashes, drops or refuses", () => {
    const text = `a ${card} b`;
    assert.equal(masked([{ detect: ["card"], do: "mask" }], text), "a [masked:card] b");
    assert.equal(masked([{ detect: ["card"], do: "drop" }], text), "a  b");
    assert.match(masked([{ detect: ["card"], do: "hash" }], text), /^a \[hash:card:[0-9a-f]{24}\] b$/);
    assert.throws(
      () => masked([{ detect: ["card"], do: "refuse" }], text),
      (error) => error instanceof DataRefused && error.category === "card",
    );
    assert.equal(masked([{ detect: ["card"], do: "drop" }], `[${card},1]`, "json"), "[null,1]");
  });

  it("hashes what means the same to the same, and masks nothing twice", () => {
    const rules: DataRule[] = [{ detect: ["personal"], do: "hash" }];
    const hashes = (text: string) => masked(rules, text).match(/\[hash:[^\]]*\]/g) ?? [];
    const [one, two, three] = hashes(`${card} 4111 1111 1111 1111 4242424242424242`);
    assert.equal(one, two);
    assert.notEqual(one, three);
    const [upper, lower] = hashes("Alice@Example.com alice@example.com");
    assert.equal(upper, lower);
    for (const [category, texts] of Object.entries(findings))
      for (const text of texts)
        for (const action of ["mask", "hash"] as const) {
          const once = masked([{ detect: [category], do: action }], `x ${text} y`);
          assert.equal(masked(everything, once), once);
        }
  });

  it("counts its findings by category", () => {
    assert.deepEqual(looked(everything, [Buffer.from(`${card} ${card} alice@example.com`)]).counts, { card: 2, email: 1 });
  });

  it("yields to the strictest of those that speak of the same text", () => {
    assert.equal(masked([...everything, { detect: ["card"], do: "drop" }], `<${card}>`), "<>");
    assert.equal(
      masked(
        [
          { detect: ["card"], do: "hash" },
          { pattern: "4[0-9]{15}", as: "own", do: "mask" },
        ],
        `<${card}>`,
      ),
      "<[masked:own]>",
    );
  });

  it("MASK-09: that overlaps another stands with it for all that they cover", () => {
    const rules: DataRule[] = [
      { pattern: "tok_[A-Z]{4}[0-9]{4}", as: "short", do: "mask" },
      { pattern: "tok_[A-Z]{4}[0-9]{4}_extra_[0-9a-f]{4}", as: "long", do: "mask" },
      { pattern: "[0-9]{4}_extra", as: "middle", do: "mask" },
    ];
    assert.equal(sameHoweverSplit(rules, "a tok_AAAA1111_extra_9f3c b"), "a [masked:long] b");
  });
});

describe("a pattern of an operator's own", () => {
  it("is found line by line, split at every byte", () => {
    const rules: DataRule[] = [
      { pattern: "(?i)\\bacme-[0-9]{4,8}\\b", as: "acme", do: "mask" },
      { pattern: "^key: .{1,20}$", as: "line", do: "mask" },
    ];
    const text = "see ACME-1234567, acme-12 xacme-1234 acme-123456789\nkey: abc\nno key: abc\nacme-4321";
    assert.equal(
      sameHoweverSplit(rules, text),
      "see [masked:acme], acme-12 xacme-1234 acme-123456789\n[masked:line]\nno key: abc\n[masked:acme]",
    );
    assert.equal(sameHoweverSplit(rules, '{"a":"x acme-1234","key: abc":[]}', "json"), '{"a":"x [masked:acme]","[masked:line]":[]}');
  });

  it("is refused with a sentence where it cannot be looked for in a stream", () => {
    for (const [pattern, why] of [
      ["a+", /how long a match can be/],
      ["[0-9]*x", /how long/],
      ["x{2,}", /how long/],
      ["(a{1,100}){1,100}", /more than 1024/],
      ["(?=a)b", /groups/],
      ["(a)\\1", /must not use/],
      ["(a", /not closed/],
      ["a)", /closes nothing/],
      ["[a", /not closed/],
      ["a?", /match nothing/],
      ["", /1 to 1000/],
      ["stra\u00dfe", /ASCII/],
      ["a\\nb", /line break/],
      ["\\pL{1,3}", /must not use/],
    ] as const)
      assert.match(customPatternProblem(pattern) ?? "", why, pattern);
    for (const pattern of ["ACME-[0-9]{8}", "(?:a|bc){1,8}\\b", "[^\\s,]{3}", "[[:alpha:]]{2}\\x2d\\d"])
      assert.equal(customPatternProblem(pattern), undefined, pattern);
  });
});

describe("members of JSON", () => {
  const body =
    '{ "id": 7, "ssn": "1", "Card_Number": 4.2, "items": [ { "email": "a", "n": 1 }, { "e-mail": null } ], "meta": { "ssn": { "x": [1] } } }';
  const at = (rules: DataRule[], text = body, format: DataFormat = "json") => {
    const out = sameHoweverSplit(rules, text, format);
    if (format === "json") JSON.parse(out);
    return out;
  };

  it("are found by name at any depth, and by path", () => {
    assert.equal(
      at([{ fields: ["ssn", "cardNumber"], as: "customer", do: "mask" }]),
      body.replace('"1"', '"[masked:customer]"').replace("4.2", '"[masked:customer]"').replace('{ "x": [1] }', '"[masked:customer]"'),
    );
    assert.equal(at([{ paths: ["$.items[*].email"], as: "mail", do: "mask" }]), body.replace('"a"', '"[masked:mail]"'));
    assert.equal(at([{ paths: ["$..x[0]"], as: "x", do: "mask" }]), body.replace("[1]", '["[masked:x]"]'));
    assert.equal(at([{ paths: ["$.meta['ssn']"], as: "x", do: "mask" }]), body.replace('{ "x": [1] }', '"[masked:x]"'));
    assert.equal(at([{ paths: ["$"], as: "all", do: "mask" }]), '"[masked:all]"');
    assert.equal(at([{ paths: ["$.ssn.x", "$.Items", "$.items[2]"], as: "none", do: "mask" }]), body);
  });

  it("are left out where they are dropped, commas and all; elements become null", () => {
    assert.equal(at([{ fields: ["id"], as: "x", do: "drop" }]), body.replace('"id": 7,', ""));
    assert.equal(at([{ fields: ["meta"], as: "x", do: "drop" }]), body.replace(/, "meta".*$/, " }"));
    assert.deepEqual(JSON.parse(at([{ fields: ["id", "ssn", "items"], as: "x", do: "drop" }])), { Card_Number: 4.2, meta: {} });
    assert.deepEqual(JSON.parse(at([{ paths: ["$.*"], as: "x", do: "drop" }])), {});
    assert.deepEqual(JSON.parse(at([{ paths: ["$.items[0]"], as: "x", do: "drop" }])).items, [null, { "e-mail": null }]);
  });

  it("are hashed by what they say, however it is written", () => {
    const rules: DataRule[] = [{ fields: ["a"], as: "x", do: "hash" }];
    const [one, two, three] = at(rules, '[{"a":"\\u0041b"},{"\\u0061":"Ab"},{"a":"ab"}]').match(/hash:x:[0-9a-f]+/g) ?? [];
    assert.equal(one, two);
    assert.notEqual(one, three);
  });

  it("are found twice where they stand twice, in every line of NDJSON, and in events", () => {
    const rules: DataRule[] = [{ fields: ["ssn"], as: "s", do: "mask" }, ...everything];
    assert.equal(at(rules, '{"ssn":1,"ssn":2}'), '{"ssn":"[masked:s]","ssn":"[masked:s]"}');
    assert.equal(sameHoweverSplit(rules, '{"ssn":1}\n{"ssn":"2"}\n', "json"), '{"ssn":"[masked:s]"}\n{"ssn":"[masked:s]"}\n');
    assert.equal(
      at(
        rules,
        `: ${card}\r\nevent: x\r\ndata: {"ssn":"1","c":"${card}"}\r\n\r\ndata:{"a":\ndata: 1,"ssn":2}\n\ndata: [DONE]\n\ndata: call ${card}\n\n`,
        "events",
      ),
      ': [masked:card]\r\nevent: x\r\ndata: {"ssn":"[masked:s]","c":"[masked:card]"}\r\n\r\ndata:{"a":\ndata: 1,"ssn":"[masked:s]"}\n\ndata: [DONE]\n\ndata: call [masked:card]\n\n',
    );
  });

  it("make a body that is no JSON unreadable, unless it is to pass; then its text is looked through", () => {
    const rules: DataRule[] = [{ fields: ["ssn"], as: "s", do: "mask" }, ...everything];
    for (const text of [
      `<p>${card}</p>`,
      `{"a":1} trailing ${card}`,
      `{"a":'${card}'}`,
      `{"a" ${card}`,
      `[1 ${card}`,
      `{"a":"\n${card}"}`,
      `nul ${card}`,
    ]) {
      assert.throws(() => masked(rules, text, "json"), DataUnreadable, text);
      assert.equal(looked(rules, [Buffer.from(text)], "json", true).text.includes(card), false, text);
      assert.equal(masked(everything, text, "json").includes(card), false, text);
    }
    assert.throws(() => masked(rules, "[".repeat(600), "json"), DataUnreadable);
  });

  it("have paths that are refused where they cannot be followed in a stream", () => {
    for (const path of ["items", "/items/0", "$.items[?(@.a)]", "$.items[-1]", "$[1:2]", "$['a','b']", "$.", "$..", "$[a]", "$.a b"])
      assert.match(pathProblem(path) ?? "", /must be a JSONPath/, path);
    for (const path of ["$", "$.a", "$['a b']", '$["a"]', "$[0]", "$.*", "$[*]", "$..a", "$..[0]", "$.a..*"])
      assert.equal(pathProblem(path), undefined, path);
  });
});

describe("data masking", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom(...Object.values(findings).flat(), ...lookAlikes),
      fc.string(),
      fc.constantFrom(" ", "\\", '"', "\n", "@", "-", ".", "+4", "(2"),
    ),
    { maxLength: 8 },
  );
  const rules: DataRule[] = [...everything, { pattern: "\\bx[a-z]{0,5}1", as: "own", do: "mask" }, { fields: ["a"], as: "a", do: "drop" }];
  const cut = (bytes: Buffer, sizes: readonly number[]) => {
    const parts: Buffer[] = [];
    for (let at = 0, each = 0; at < bytes.length; each++) {
      const size = sizes[each % sizes.length]!;
      parts.push(bytes.subarray(at, at + size));
      at += size;
    }
    return parts;
  };
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

  it("does the same however a text comes", () => {
    fc.assert(
      fc.property(pieces, fc.constantFrom<DataFormat>("text", "json", "events"), sizes, (texts, format, by) => {
        const bytes = Buffer.from(texts.join(format === "events" ? "\ndata: " : ""));
        assert.deepEqual(looked(rules, cut(bytes, by), format, true), looked(rules, [bytes], format, true));
      }),
      { numRuns: 200 },
    );
  });

  it("leaves JSON valid, and what no rule speaks of as it is", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), pieces, sizes, (value, texts, by) => {
        const text = JSON.stringify([value, ...texts, { a: value, b: texts, [texts[0] ?? "c"]: 4111111111111111 }]);
        JSON.parse(looked(rules, cut(Buffer.from(text), by), "json").text);
        assert.equal(looked([{ fields: ["\u0001"], as: "x", do: "mask" }], cut(Buffer.from(text), by), "json").text, text);
      }),
      { numRuns: 100 },
    );
  });

  it("holds back no more than what may still be a finding", () => {
    for (const [text, format] of [
      ["live words, one by one\n", "text"],
      ['data: {"d":"token"}\n\n', "events"],
      ['{"a":1}\n', "json"],
    ] as const)
      assert.equal(held(text, format), 0, text);
    assert.ok(held(`${"x ".repeat(500)}4111 1111 1111`, "text") <= 15);
    assert.ok(held(`${"a".repeat(5000)}`, "text") <= 64);
  });

  it("takes time in proportion to the text, whatever it is", function () {
    this.timeout(60_000);
    for (const unit of [
      "1 ",
      "4111 ",
      "a",
      "a@",
      "a@b.",
      "eyJhbGci-",
      "+1 ",
      "-",
      "-----BEGIN ",
      "\\",
      "123456789 ",
      "(212) ",
      "DE89 ",
      "ghp_",
      "x1",
      '{"a":',
      "[",
      "\\u0041",
    ]) {
      const time = (count: number) => {
        const bytes = Buffer.from(unit.repeat(Math.ceil(count / unit.length)));
        const began = process.cpuUsage();
        looked(rules, cut(bytes, [16_384]), unit.startsWith("{") || unit === "[" ? "json" : "text", true);
        return process.cpuUsage(began).user;
      };
      time(32_768);
      const [one, six] = [Math.max(time(32_768), 2_000), time(6 * 32_768)];
      assert.ok(six < 30 * one, `${unit}: ${one} µs, ${six} µs for six times as much`);
    }
  });
});

/** Bytes of a text that are waited with once it is there. */
const held = (text: string, format: DataFormat) =>
  Buffer.byteLength(text) - new DataMasker(compileRules(everything), { format }).push(Buffer.from(text)).length;
