import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { presets } from "@sallyport/guardrails";
import { parseConfig } from "@sallyport/service";

const page = readFileSync(new URL("../../docs/targets.md", import.meta.url), "utf8");
const fields = ["token", "password", "username", "id", "key", "session", "secret", "refresh", "cert"];
const head = `version: 1
trustDomain: example.internal
stores: { dev: { kind: file, path: ./s.jwe, key: env:K } }
secrets:
${["prod/orders/api", "prod/llm/api"].map((name) => `  ${name}: { store: dev, fields: [${fields.join(", ")}] }`).join("\n")}
`;
const target = (settings: string) =>
  `${head}targets:\n  t:\n    kind: http\n    baseUrl: https://x.example.com\n    secret: prod/orders/api\n    allow: [{ method: GET, path: /a }]\n${settings
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n")}\n`;
const taken = (text: string) => assert.ok(parseConfig(text, "docs/targets.md"), text);

describe("docs/targets.md", () => {
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text as string);

  it("shows targets, injections and rules that are taken as they stand", () => {
    let seen = 0;
    for (const block of blocks) {
      if (block.startsWith("targets:")) taken(head + block);
      else if (block.startsWith("rules:")) taken(target(`inject: { bearer: token }\n${block.trimEnd()}`));
      else for (const one of block.trimEnd().split(/\n(?=inject:)/)) taken(target(one.replace(/ +# .*$/m, "")));
      seen++;
    }
    assert.ok(seen >= 7, String(seen));
  });

  it("shows in its tables what is taken as it stands", () => {
    const rows = [...page.matchAll(/^\| `(.+?)` \| .*\|$/gm)].map(([, code]) => code as string);
    const injections = rows.filter((code) => code.startsWith("{ "));
    const conditions = rows.filter((code) => /^[A-Za-z]+: [[{]/.test(code));
    assert.ok(injections.length >= 8 && conditions.length >= 9, `${injections.length} ${conditions.length}`);
    for (const code of injections) taken(target(`inject: ${code}`));
    for (const code of conditions) taken(target(`inject: { bearer: token }\nrules: [{ name: a, require: { ${code} }, because: x }]`));
  });

  it("names every preset", () => {
    for (const name of Object.keys(presets)) assert.ok(page.includes(`\`${name}\``), name);
  });
});
