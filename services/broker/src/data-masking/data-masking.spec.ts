import assert from "node:assert/strict";
import zlib from "node:zlib";
import { Refusal } from "@sallyport/contracts";
import { parseConfig } from "@sallyport/service";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { operationOf } from "../targets/inject/targets.fixture.ts";
import { withUpload } from "../targets/operation.ts";
import { decodedBody } from "../use/response-body.ts";
import { AnswerData } from "./answer-data.ts";
import { loadDataMasking } from "./data-masking.ts";
import { againstData, withoutData } from "./request-data.ts";

const card = "4111111111111111";
const config = parseConfig(
  `version: 1
trustDomain: example.internal
stores: { dev: { kind: file, path: ./s.jwe, key: env:K } }
secrets: { prod/api: { store: dev, fields: [token] } }
dataMasking:
  personal: [{ detect: [personal], do: mask }, { fields: [ssn], as: customer, do: drop }, { detect: [email], do: hash }]
  out: [{ detect: [credentials, card], do: refuse }, { fields: [ssn], as: customer, do: refuse }]
  none: [{ detect: [card], do: refuse }]
  hashed: [{ detect: [email], do: hash }]
targets:
  api: { kind: http, baseUrl: "https://api.example.com", secret: prod/api, inject: { bearer: token }, allow: [{ method: POST, path: "/{rest+}" }],
         dataMasking: { responses: [personal], requests: [out] } }
  strict: { kind: http, baseUrl: "https://api.example.com", secret: prod/api, inject: { bearer: token }, allow: [{ method: POST, path: "/{rest+}" }],
            dataMasking: { responses: [none] } }
  joined: { kind: http, baseUrl: "https://api.example.com", secret: prod/api, inject: { bearer: token }, allow: [{ method: POST, path: "/{rest+}" }],
            dataMasking: { responses: [hashed], hash: installation } }
  perTree: { kind: http, baseUrl: "https://api.example.com", secret: prod/api, inject: { bearer: token }, allow: [{ method: POST, path: "/{rest+}" }],
            dataMasking: { responses: [hashed] } }
`,
  "sallyport.yaml",
);

async function* chunks(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("a target's data-masking rules", () => {
  let data: Awaited<ReturnType<typeof loadDataMasking>>;
  before(async () => {
    data = await loadDataMasking(config, new Uint8Array(32).fill(1));
  });

  const answerOf = (target: string, tree = "tree-1") => {
    const rules = data.get(target)!;
    return new AnswerData(rules, rules.responses!, tree);
  };
  async function body(answer: AnswerData, bytes: Uint8Array, contentType?: string, coding?: string, size = 7): Promise<string> {
    const out: Uint8Array[] = [];
    for await (const piece of answer.body(decodedBody(chunks(bytes, size), coding), contentType)) out.push(Uint8Array.from(piece));
    return Buffer.concat(out).toString();
  }
  const refused = (reason: string, rule?: string) => (error: unknown) =>
    error instanceof Refusal &&
    error.reason === reason &&
    error.metadata.rule === rule &&
    error.metadata.effect === "happened" &&
    !error.message.includes(card);

  it("hold for the answer's body in every coding, labelled as JSON or only looking like it, and for its headers", async () => {
    const text = JSON.stringify({ ssn: "1", note: `paid with ${card}`, n: Number(card) });
    const expected = '{"note":"paid with [masked:card]","n":"[masked:card]"}';
    const packed = {
      gzip: zlib.gzipSync(text),
      br: zlib.brotliCompressSync(text),
      zstd: zlib.zstdCompressSync(text),
      deflate: zlib.deflateSync(text),
    };
    for (const [coding, bytes] of Object.entries(packed))
      for (const type of ["application/json", "application/problem+json; charset=utf-8", "text/plain", undefined])
        for (const size of [1, 7, 1000]) {
          const answer = answerOf("api");
          assert.equal(await body(answer, bytes, type, coding, size), expected, `${coding} ${type} ${size}`);
          assert.deepEqual(Object.fromEntries(answer.counts), { customer: 1, card: 2 });
        }
    assert.deepEqual(
      answerOf("api").headers([
        ["x-note", `card ${card}`],
        ["etag", "\u00e9 1"],
      ]),
      [
        ["x-note", "card [masked:card]"],
        ["etag", "\u00e9 1"],
      ],
    );
    assert.equal(await body(answerOf("api"), Buffer.from(" \n ")), " \n ");
    assert.equal(await body(answerOf("api"), Buffer.from("")), "");
  });

  it("keep an answer back where they say refuse, or where their members cannot be read", async () => {
    await assert.rejects(body(answerOf("strict"), Buffer.from(`x ${card} y`)), refused("GUARDRAIL_BLOCKED", "data-masking/card"));
    assert.throws(() => answerOf("strict").headers([["x", card]]), refused("GUARDRAIL_BLOCKED", "data-masking/card"));
    for (const [text, type] of [
      ["<p>hello</p>", "text/html"],
      ['{"a":', "application/json"],
      ['{"a":1', "application/json; charset=utf-16"],
      ["{'a':1}", undefined],
    ] as const) {
      const attempt = body(answerOf("api"), Buffer.from(text), type);
      if (text === '{"a":') assert.equal(await attempt, text);
      else await assert.rejects(attempt, refused("RESPONSE_UNINSPECTABLE"), text);
    }
    assert.equal(await body(answerOf("strict"), Buffer.from("<p>hello</p>"), "text/html"), "<p>hello</p>");
  });

  it("hash with a key of the tree, or of the installation", async () => {
    const hashed = (target: string, tree: string) => body(answerOf(target, tree), Buffer.from("alice@example.com"));
    assert.equal(await hashed("perTree", "one"), await hashed("perTree", "one"));
    assert.notEqual(await hashed("perTree", "one"), await hashed("perTree", "two"));
    assert.equal(await hashed("joined", "one"), await hashed("joined", "two"));
    assert.notEqual(await hashed("joined", "one"), await hashed("perTree", "one"));
  });

  const target = () => data.get("api");
  const post = (sketch: Parameters<typeof operationOf>[1]) =>
    operationOf(config.targets.api as TargetConfig, { method: "POST", path: "/v1/x", ...sketch });
  const json = { "content-type": "application/json" };

  it("let no request out that holds such data, in any of its parts; nothing is sent, and the sentence tells nothing of it", () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    for (const [where, sketch, category] of [
      ["body", { body: `{"note":"\\u0034${card.slice(1)}"}`, headers: json }, "card"],
      ["body", { body: '{"a":[{"SSN":1}]}', headers: json }, "customer"],
      ["body", { body: "note=4111+1111+1111+1111", headers: form }, "card"],
      ["body", { body: "a=1&ssn=2", headers: form }, "customer"],
      ["query", { path: "/v1/x?q=4111%201111+1111%201111" }, "card"],
      ["query", { path: "/v1/x?ssn=1" }, "customer"],
      ["path", { path: `/v1/cards/${card}` }, "card"],
      ["header x-note", { headers: { "x-note": "AKIAIOSFODNN7EXAMPLE" } }, "aws-key"],
    ] as const) {
      const refusal = againstData(post(sketch), target());
      assert.equal(refusal?.reason, "GUARDRAIL_BLOCKED", where);
      assert.deepEqual(refusal?.metadata, { rule: `data-masking/${category}`, effect: "none" }, where);
      assert.match(refusal?.message ?? "", new RegExp(`the ${where} holds`, "i"));
      assert.ok(!/4111|AKIA/.test(refusal?.message ?? ""));
    }
    for (const sketch of [
      { body: '{"note":"order 4111111111111112"}', headers: json },
      { path: "/v1/orders/550e8400-e29b-41d4-a716-446655440000?page=2" },
      {},
    ])
      assert.equal(againstData(post(sketch), target()), undefined);
    assert.equal(againstData(post({ body: `{"note":"${card}"}`, headers: json }), data.get("strict")), undefined);
  });

  it("block a body that they cannot look through", () => {
    for (const headers of [{ "content-type": "application/json; charset=utf-16le" }, { "content-type": "text/plain" }])
      assert.equal(againstData(post({ body: "hello", headers }), target())?.metadata.rule, "data-masking", JSON.stringify(headers));
  });

  it("stop an upload before the data is out, wherever it is cut", async () => {
    const upload = async (text: string, size: number) => {
      const operation = withUpload(post({ headers: json }), { size: text.length, sha256: "00", pieces: chunks(Buffer.from(text), size) });
      const sent: Uint8Array[] = [];
      let error: unknown;
      try {
        for await (const piece of withoutData(operation, target()).upload!.pieces) sent.push(Uint8Array.from(piece));
      } catch (thrown) {
        error = thrown;
      }
      return { sent: Buffer.concat(sent).toString(), error };
    };
    for (let size = 1; size < 30; size++) {
      const { sent, error } = await upload(`{"a":"x ${card} y"}`, size);
      assert.ok(error instanceof Refusal && error.metadata.rule === "data-masking/card" && error.metadata.effect === "unknown");
      assert.ok(!sent.includes("4111"), sent);
      assert.equal((await upload('{"a":"x 4111111111111112 y"}', size)).sent, '{"a":"x 4111111111111112 y"}');
    }
  });
});
