import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Action } from "@sallyport/contracts";
import { chainOf } from "@sallyport/identity";
import type { Ask } from "../use/ask.ts";
import { digestOf } from "./digest.ts";
import { parseOperation, withUpload } from "./operation.ts";

const sid = (letter: string) => letter.repeat(21).concat("A");
const chain = (last = "migrate", lastSid = sid("c")) =>
  chainOf([
    { id: "corp/alice", kind: "person", sid: sid("a") },
    { id: `corp/alice#release`, kind: "agent", sid: sid("b") },
    { id: `corp/alice#release/${last}`, kind: "agent", sid: lastSid },
  ]);

const base = {
  chain: chain(),
  action: Action.USE as Action,
  secret: "prod/orders/api",
  version: "3",
  target: "orders-api",
  method: "POST",
  path: "/v1/refunds?a=1",
  headers: { accept: "text/plain" },
  body: "{}",
};
const digest = (changed: Partial<typeof base> = {}) => {
  const { chain, action, secret, version, target, method, path, headers, body } = { ...base, ...changed };
  const listed = Object.entries(headers).map(([name, value]) => ({ $typeName: "sallyport.broker.v1.Header" as const, name, value }));
  const operation = parseOperation(target, undefined, { method, path, headers: listed, body: Buffer.from(body) });
  return digestOf({ caller: { chain }, action, secret: { name: secret, config: undefined } } as unknown as Ask, version, operation);
};

describe("the digest that an approval names", () => {
  it("is SHA-256 over RFC 8785 JSON of the parsed request", () => {
    const body = createHash("sha256").update("{}").digest("hex");
    const json = `{"action":"use","body":"${body}","chain":[["corp/alice","${sid("a")}"],["corp/alice#release","${sid("b")}"],["corp/alice#release/migrate","${sid("c")}"]],"headers":[["accept","text/plain"]],"method":"POST","path":"/v1/refunds?a=1","secret":"prod/orders/api","secretVersion":"3","target":"orders-api"}`;
    assert.equal(digest(), createHash("sha256").update(json).digest("hex"));
  });

  it("is another for every difference that could matter, the case of an encoding included", () => {
    const others: Partial<typeof base>[] = [
      { chain: chain("other") },
      { chain: chain("migrate", sid("d")) },
      { action: Action.WRITE },
      { secret: "prod/orders/db" },
      { version: "4" },
      { target: "orders" },
      { method: "PUT" },
      { path: "/v1/refunds?a=2" },
      { path: "/v1/refunds?a=1&a=1" },
      { path: "/v1/refunds" },
      { path: "/v1%2Frefunds?a=1" },
      { path: "/v1%2frefunds?a=1" },
      { headers: { accept: "text/html" } },
      { headers: { accept: "text/plain", "x-a": "1" } as unknown as typeof base.headers },
      { body: "{ }" },
    ];
    const digests = [digest(), ...others.map((other) => digest(other))];
    assert.equal(new Set(digests).size, digests.length);
  });

  it("is the same for the same request, however its headers and encodings are spelled", () => {
    assert.equal(digest({ headers: { ACCEPT: " text/plain" } as unknown as typeof base.headers }), digest());
    assert.equal(digest({ path: "/v1/%72efunds?a=1" }), digest());
  });

  it("is the same for a body that is inline and one that is uploaded", () => {
    const operation = parseOperation("orders-api", undefined, {
      method: "POST",
      path: "/v1/refunds?a=1",
      headers: [],
      body: new Uint8Array(),
    });
    const sha256 = createHash("sha256").update("{}").digest("hex");
    const ask = {
      caller: { chain: chain() },
      action: Action.USE,
      secret: { name: "prod/orders/api", config: undefined },
    } as unknown as Ask;
    async function* pieces() {
      yield Buffer.from("{}");
    }
    assert.equal(
      digestOf(ask, "3", withUpload(operation, { size: 2, sha256, pieces: pieces() })),
      digest({ headers: {} as unknown as typeof base.headers }),
    );
  });
});
