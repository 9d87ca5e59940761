import assert from "node:assert/strict";
import { parseOperation, withUpload } from "../targets/operation.ts";
import { Fingerprints } from "./fingerprints.ts";
import { Traffic } from "./traffic.ts";

describe("what a use's record says of an uploaded body", () => {
  const fingerprints = new Fingerprints(new Uint8Array(32).fill(7));
  const head = { method: "POST", path: "/upload", headers: [], body: new Uint8Array() };
  const keyed = (bytes: Uint8Array) => fingerprints.ofStatement(bytes);

  async function sent(pieces: readonly string[], { sha256, taken = pieces.length }: { sha256?: string; taken?: number } = {}) {
    async function* body() {
      for (const piece of pieces) yield Buffer.from(piece);
    }
    const operation = withUpload(parseOperation("t", undefined, head), { size: undefined, sha256, pieces: body() });
    const traffic = new Traffic(operation, keyed);
    let left = taken;
    if (left > 0) for await (const _ of traffic.operation.upload?.pieces ?? []) if (--left === 0) break;
    return { statement: keyed(operation.exactBytes), before: traffic.details(false), details: traffic.details(true) };
  }

  it("binds it where its hash was not known before: the same keyed hash as if it had come whole, and another for another", async () => {
    const [one, same, other] = [await sent(["hel", "lo"]), await sent(["hello"]), await sent(["hullo"])];
    const whole = parseOperation("t", undefined, { ...head, body: Buffer.from("hello") });
    assert.equal(one.details.request_hash, keyed(whole.exactBytes));
    assert.equal(same.details.request_hash, one.details.request_hash);
    assert.notEqual(other.details.request_hash, one.details.request_hash);
    // The intent's cannot tell them apart.
    assert.equal(other.statement, one.statement);
  });

  it("binds what went of one that broke off, and nothing where nothing was sent", async () => {
    const broken = await sent(["hel", "lo"], { taken: 1 });
    const part = parseOperation("t", undefined, { ...head, body: Buffer.from("hel") });
    assert.deepEqual([broken.details.request_hash, broken.details.request_bytes], [keyed(part.exactBytes), 3]);
    assert.equal(broken.before.request_hash, undefined);
  });

  it("leaves it to the statement where the hash was said and is checked", async () => {
    const { details, statement } = await sent(["hello"], { sha256: "ab".repeat(32) });
    assert.equal(details.request_hash, undefined);
    assert.notEqual(statement, (await sent(["hello"])).statement);
  });
});
