import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { categories, presets } from "@sallyport/masking/detect/settings";
import { parseConfig } from "@sallyport/service";
import { parse, stringify } from "yaml";

const docs = new URL("../../docs/", import.meta.url);
/** Theirs are parts of a configuration, or of another file, and those of targets and identity providers have specs of their own. */
const elsewhere = ["targets.md", "policies.md", "stores.md", "identity-providers/github-actions.md"];
const pages = readdirSync(docs, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".md") && !elsewhere.includes(name));

/** What an example leaves out: the installation, the secrets that it names, and what its comment stands for. */
function whole(example: string): string {
  const told = parse(
    example.replace(
      "# kind, baseUrl, secret …",
      'kind: http\n    baseUrl: "https://x.example.com"\n    secret: prod/any\n    inject: { bearer: token }\n    allow: [{ method: GET, path: /a }]',
    ),
  );
  const named = [...example.matchAll(/ secret: (\S+)/g)].map(([, name]) => name as string);
  const secrets = Object.fromEntries(["prod/any", ...named].map((name) => [name, { store: "dev", fields: ["token", "key", "id"] }]));
  return stringify({
    version: 1,
    trustDomain: "example.internal",
    ...told,
    stores: { dev: { kind: "file", path: "./s.jwe", key: "env:K" }, ...told.stores },
    secrets: { ...secrets, ...told.secrets },
  });
}

describe("the configurations that the documentation shows", () => {
  for (const page of pages) {
    const examples = [...readFileSync(new URL(page, docs), "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text as string);
    if (examples.length > 0)
      it(`${page}: are taken as they stand`, () => {
        for (const example of examples) assert.ok(parseConfig(whole(example), page), example);
      });
  }

  it("masking.md names every detector and preset", () => {
    const page = readFileSync(new URL("masking.md", docs), "utf8");
    assert.deepEqual(
      [...categories, ...Object.keys(presets)].filter((name) => !page.includes(`\`${name}\``)),
      [],
    );
  });
});
