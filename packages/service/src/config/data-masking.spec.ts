import assert from "node:assert/strict";
import { parseConfig } from "./index.ts";
import { problems, withSecret } from "./problems.fixture.ts";

const target = 'kind: http, baseUrl: "http://x", secret: s, inject: { bearer: t }';
const withRules = (rules: string, use = "{ responses: [own] }", allow = "GET") =>
  `${withSecret}dataMasking:\n  own: ${rules}\ntargets:\n  t: { ${target}, allow: [{ method: ${allow}, path: /a }], dataMasking: ${use} }`;

describe("data-masking rules in sallyport.yaml", () => {
  it("are taken where they are right", () => {
    const config = parseConfig(
      withRules(
        '[{ detect: [personal, jwt], do: mask, anywhere: true }, { fields: [ssn], as: customer, do: drop }, { paths: ["$.items[*].email"], as: mail, do: hash }, { pattern: "ACME-[0-9]{8}", as: acme, do: refuse }]',
      ),
      "sallyport.yaml",
    );
    assert.equal(config.dataMasking.own?.length, 4);
    assert.deepEqual(config.targets.t?.dataMasking, { responses: ["own"], hash: "tree", otherBodies: "refuse" });
  });

  it("are refused with their place and what was meant where they are wrong", () => {
    for (const [text, why] of [
      [withRules("[{ detect: [emial], do: mask }]"), /dataMasking\.own\.0\.detect\.0: there is no detector or preset "emial".*email/],
      [withRules("[{ detect: [email], do: hide }]"), /own\.0\.do: must be "refuse" or "drop" or "mask" or "hash"/],
      [withRules("[{ detect: [email] }]"), /own\.0\.do/],
      [withRules("[{ do: mask }]"), /own\.0: must have exactly one of/],
      [withRules("[{ detect: [email], pattern: a, do: mask }]"), /exactly one of/],
      [withRules('[{ pattern: "a+", as: x, do: mask }]'), /own\.0\.pattern: must say how long/],
      [withRules("[{ pattern: abc, do: mask }]"), /own\.0\.as: is missing/],
      [withRules("[{ detect: [email], as: x, do: mask }]"), /own\.0\.as: is not for detect/],
      [withRules('[{ paths: ["/items"], as: x, do: mask }]'), /own\.0\.paths\.0: must be a JSONPath/],
      [withRules("[{ fields: [a], as: X, do: mask }]"), /own\.0\.as: must be up to 32/],
      [withRules("[{ fields: [a], as: x, anywhere: true, do: mask }]"), /anywhere: is for detect only/],
      [withRules("[]"), /own: must not be empty/],
      [
        withRules("[{ detect: [email], do: mask }]", "{ responses: [owm] }"),
        /targets\.t\.dataMasking\.responses\.0: there is no data-masking rule set "owm".*own/,
      ],
      [withRules("[{ detect: [email], do: mask }]", "{ requests: [own] }"), /requests\.0: must be a set whose rules all say "do: refuse"/],
      [withRules("[{ detect: [email], do: mask }]", "{}"), /dataMasking: must have responses or requests/],
      [withRules("[{ detect: [email], do: mask }]", "{ responses: [own] }", "WEBSOCKET"), /must not be WEBSOCKET beside dataMasking/],
    ] as const)
      assert.match(problems(text), why);
  });
});
