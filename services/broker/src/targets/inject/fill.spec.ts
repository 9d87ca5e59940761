import assert from "node:assert/strict";
import { type Reason, Refusal } from "@sallyport/contracts";
import fc from "fast-check";
import { startEchoTarget } from "../echo-target.fixture.ts";
import { withUpload } from "../operation.ts";
import { fill } from "./fill.ts";
import { header, operationOf, type Sketch, send, targetConfig } from "./targets.fixture.ts";

const json = { "content-type": "application/json" };
const form = { "content-type": "application/x-www-form-urlencoded" };

describe("a secret in a request", () => {
  let target: Awaited<ReturnType<typeof startEchoTarget>>;
  before(async () => {
    target = await startEchoTarget();
  });
  after(() => target.stop());

  const config = (inject: string, fields = ["token", "username", "password"]) => targetConfig(target.port, `    inject: ${inject}`, fields);
  const sent = async (inject: string, sketch: Sketch, values: Record<string, string | Buffer>) =>
    (await send(config(inject), sketch, values)).echo;
  const refused = async (call: Promise<unknown>, reason: Reason, sentence = /./) => {
    const error = await call.then(
      () => assert.fail("was not refused"),
      (error: unknown) => error,
    );
    assert.ok(error instanceof Refusal, String(error));
    assert.equal(error.reason, reason, error.message);
    assert.match(error.message, sentence);
    assert.equal(error.metadata.effect, "none");
  };

  describe("as basic authentication", () => {
    it("has the configured user, or a field's, in front of the password, UTF-8 as stored", async () => {
      const fixed = await sent("{ basic: { user: svc-orders, password: password } }", {}, { password: "s:ecret pässword" });
      assert.deepEqual(header(fixed, "authorization"), [`Basic ${Buffer.from("svc-orders:s:ecret pässword").toString("base64")}`]);
      const stored = await sent("{ basic: { userField: username, password: password } }", {}, { username: "ann", password: "secret-4711" });
      assert.deepEqual(header(stored, "authorization"), [`Basic ${Buffer.from("ann:secret-4711").toString("base64")}`]);
    });

    it("is not sent where a colon or a control character would move the border between the two (RFC 7617)", async () => {
      const inject = "{ basic: { userField: username, password: password } }";
      for (const values of [
        { username: "a:b", password: "secret-4711" },
        { username: "", password: "secret-4711" },
        { username: "a\n", password: "secret-4711" },
        { username: "ann", password: "a\r\nb" },
        { username: "ann", password: "" },
      ])
        await refused(sent(inject, {}, values), "STORE_UNAVAILABLE", /Nothing was sent/);
    });
  });

  describe("as a query parameter", () => {
    const inject = "{ query: { name: api_key, field: token } }";

    it("is percent-encoded whole, after what the agent asks for", async () => {
      const echo = await sent(inject, { path: "/v1/orders?a=1&a=2" }, { token: "a&b=c+d %/ä" });
      assert.equal(echo.url, "/v1/orders?a=1&a=2&api_key=a%26b%3Dc%2Bd%20%25%2F%C3%A4");
      for (const [path, url] of [
        ["/v1/orders", "/v1/orders?api_key=k"],
        ["/v1/orders?", "/v1/orders?api_key=k"],
        ["/v1/orders?a=1&", "/v1/orders?a=1&api_key=k"],
      ] as const)
        assert.equal((await sent(inject, { path }, { token: "k" })).url, url);
    });

    it("PROX-05: is refused where the agent's query has the name, in any way that some reader takes for it", async () => {
      for (const name of ["api_key", "API_KEY", "api%5Fkey", "%61pi_key", "api-key", "api.key", "api_key%5B%5D", "a=1;api_key", "+api_key"])
        await refused(sent(inject, { path: `/v1/orders?${name}=mine` }, { token: "k" }), "INVALID_REQUEST", /leave it out/);
      await refused(sent(inject, { path: "/v1/orders?a=%ff" }, { token: "k" }), "INVALID_REQUEST", /UTF-8/);
      for (const query of ["api_keys=1", "key=api_key", "xapi_key=1", "api=key"])
        assert.equal((await sent(inject, { path: `/v1/orders?${query}` }, { token: "k" })).url, `/v1/orders?${query}&api_key=k`);
    });

    it("arrives as it is stored, whatever bytes it has", async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 40 }), async (bytes) => {
          const { injected } = await send(config(inject), {}, { token: Buffer.from(bytes) });
          const value = injected.sent.slice("/v1/orders?api_key=".length);
          assert.match(value, /^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+$/);
          const back = Buffer.from(
            value.replaceAll(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
            "latin1",
          );
          assert.deepEqual(back, Buffer.from(bytes));
        }),
        { numRuns: 30 },
      );
    });
  });

  describe("as a cookie", () => {
    const inject = "{ cookie: { name: session, field: token } }";

    it("is sent as it is stored, or not at all where a cookie would need escaping (RFC 6265)", async () => {
      assert.deepEqual(header(await sent(inject, {}, { token: "abc=def/+." }), "cookie"), ["session=abc=def/+."]);
      for (const token of ["a;b", "a b", 'a"b', "a,b", "a\\b", "", "ä", "a\nb"])
        await refused(sent(inject, {}, { token }), "STORE_UNAVAILABLE", /a cookie cannot carry/);
    });

    it("PROX-05: is the only one: the agent sends none, by whatever spelling", async () => {
      for (const name of ["cookie", "Cookie"])
        assert.throws(() => operationOf(config(inject), { headers: { [name]: "session=mine; session=other" } }), /leave it out/);
    });
  });

  describe("in a JSON body", () => {
    const inject = "{ body: { pointer: /auth/token, field: token } }";
    const post = (body: string, headers: Record<string, string> = json): Sketch => ({ method: "POST", headers, body });

    it("is put at its pointer, escaped, and leaves every other byte as it was", async () => {
      const body = '{ "2": 1, "n": 9007199254740993.10, "s": "\\u00e9" }';
      const echo = await sent(inject, post(body), { token: 'a"b\\c\nd' });
      assert.equal(echo.body, `{"auth":{"token":"a\\"b\\\\c\\nd"},${body.slice(1)}`);
      assert.deepEqual(header(echo, "content-length"), [String(echo.body.length)]);
      assert.equal((await sent(inject, post('{"auth":{"id":1}}'), { token: "t" })).body, '{"auth":{"token":"t","id":1}}');
      assert.equal((await sent(inject, post('{"auth": {}}'), { token: "t" })).body, '{"auth": {"token":"t"}}');
      assert.equal((await sent(inject, post(""), { token: "t" })).body, '{"auth":{"token":"t"}}');
      assert.equal((await sent(inject, post('{"é𝄞":{"x":"auth"}}'), { token: "t" })).body.startsWith('{"auth":{"token":"t"},"'), true);
    });

    it("POLI-09: is refused where the body says it itself, twice, in another case or encoding, or is no plain JSON object", async () => {
      for (const body of [
        '{"auth":{"token":"mine"}}',
        '{"auth":{"Token":"mine"}}',
        '{"Auth":{}}',
        '{"auth":{},"auth":{}}',
        '{"auth":{},"\\u0061uth":{}}',
        '{"a":{"b":1,"b":2}}',
        '{"auth":"x"}',
        "[]",
        "[1]",
        '"x"',
        "{",
        '{"a":1,}',
        "{'a':1}",
        '{"a":1} // x',
        "\u{feff}{}",
        "{".repeat(100),
      ])
        await refused(sent(inject, post(body), { token: "t" }), "INVALID_REQUEST");
      await refused(sent(inject, post("{}", { "content-type": "text/plain" }), { token: "t" }), "INVALID_REQUEST", /JSON body only/);
      await refused(sent(inject, post("{}", {}), { token: "t" }), "INVALID_REQUEST", /JSON body only/);
      await refused(sent(inject, post("{}"), { token: Buffer.from([0xff, 0xfe]) }), "STORE_UNAVAILABLE", /UTF-8/);
    });

    it("is refused where the body comes as an upload, which cannot be changed", async () => {
      const operation = withUpload(operationOf(config(inject), { method: "POST", headers: json }), {
        size: 2,
        sha256: "0".repeat(64),
        pieces: (async function* () {
          yield Buffer.from("{}");
        })(),
      });
      await refused(send(config(inject), operation, { token: "t" }), "INVALID_REQUEST", /inline/);
    });
  });

  describe("as a form field", () => {
    const inject = "{ form: { name: token, field: token } }";

    it("is encoded whole, after what the agent sends", async () => {
      const echo = await sent(inject, { method: "POST", headers: form, body: "a=1&b=x+y" }, { token: "a&token=b c" });
      assert.equal(echo.body, "a=1&b=x+y&token=a%26token%3Db%20c");
      assert.equal((await sent(inject, { method: "POST", headers: form }, { token: "t" })).body, "token=t");
    });

    it("PROX-05: is refused where the form has the name, or is none", async () => {
      for (const body of ["token=mine", "a=1&Token=mine", "t%6Fken=mine", "token[]=mine", "a=1;token=mine", "%FF=1"])
        await refused(sent(inject, { method: "POST", headers: form, body }, { token: "t" }), "INVALID_REQUEST");
      await refused(sent(inject, { method: "POST", headers: json, body: "{}" }, { token: "t" }), "INVALID_REQUEST", /form only/);
      assert.equal((await sent(inject, { method: "POST", headers: form, body: "tokens=1" }, { token: "t" })).body, "tokens=1&token=t");
    });
  });

  it("is one and the same header once, whatever the agent's other headers are", async () => {
    const echo = await sent("{ header: { name: X-Shop-Key, field: token } }", { headers: { "x-shop": "1" } }, { token: "key-4711" });
    assert.deepEqual(header(echo, "x-shop-key"), ["key-4711"]);
    await refused(
      sent("{ header: { name: X-Shop-Key, field: token } }", { headers: { "x-shop-Key": "mine" } }, { token: "key-4711" }),
      "INVALID_REQUEST",
      /leave it out/,
    );
  });

  it("of a kind that this version does not know is not left out: nothing is sent", () => {
    const operation = operationOf(config("{ bearer: token }"), {});
    assert.throws(
      () => fill(operation, { telepathy: { field: "token" } } as never, new Map([["token", Buffer.from("key-4711")]])),
      (error: unknown) => error instanceof Refusal && /does not know how/.test(error.message) && error.metadata.effect === "none",
    );
  });
});
