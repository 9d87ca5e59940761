import assert from "node:assert/strict";
import { join } from "node:path";
import { bytesFor, openLog, scratchFolder } from "../audit.fixture.ts";
import { outgoing } from "../publish/outgoing.ts";
import { SearchIndex } from "./search-index.ts";

describe("the index over the evidence log", () => {
  const folder = scratchFolder();

  it("lives with whatever a service signed, over restarts, and finds what comes after it", async () => {
    const head = '{"metadata":{"log_name":"pdp-0123456789","sequence":1';
    const odd = [
      `${head},oops`,
      `${head}},"unmapped":{"delegation":[{"id":"a"}]}}`,
      `${head},"uid":{}},"time":"soon","unmapped":{"delegation":7,"sallyport":{"secret":{"name":["x"]},"target":null}}}`,
      `${head}},"unmapped":null}`,
      "null",
    ].map((text) => Buffer.from(text));
    const log = await openLog(folder());
    await log.append(odd);
    const [good] = bytesFor(1);
    await log.append([good as Buffer]);
    for (let start = 0; start < 2; start++) {
      const index = SearchIndex.open(join(folder(), "search.sqlite"));
      await index.follow(log);
      assert.deepEqual(await index.find({ secret: "prod/orders/api" }, 0, 10), [odd.length]);
      assert.equal((await index.find({}, 0, 10)).length, odd.length + 1);
      await index.close();
    }
    await log.close();
    for (const [index, record] of odd.entries()) assert.equal(outgoing(record, index).uid, "");
    assert.match(outgoing(good as Buffer, 5).key, /^deployx+$/);
  });
});
