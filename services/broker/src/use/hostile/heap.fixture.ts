// Answers that hold values come back, and this says which values the heap of this process holds: while their tree lives, and after.
// node --expose-gc heap.fixture.ts FOLDER
import { getHeapSnapshot } from "node:v8";
import { systemClock } from "@sallyport/service";
import { openState } from "@sallyport/state";
import { noDerivation } from "../../masks/derivation.ts";
import { DerivedLedger } from "../../masks/derived-ledger.ts";
import { TreeMasks } from "../../masks/tree-masks.ts";
import { StateSeal } from "../../sealing/state-seal.ts";
import { parseOperation } from "../../targets/operation.ts";
import { relay } from "../relay.ts";
import { Traffic } from "../traffic.ts";
import { ways } from "./ways.fixture.ts";

// Put together anew where they are wanted, so that nothing here holds them.
const word = () => Buffer.from(["canary", process.pid, "Zq7kP9tRwx42"].join("_"));
const digits = () => Buffer.from([9021, process.pid + 10_000_000, 7733].join(""));
const lines = () => Buffer.from(["first", "second"].map((line) => `${line}${word()}`).join("\n"));
const fields = () => new Map(Object.entries({ word: word(), digits: digits(), lines: lines() }));

const state = await openState("sqlite", { dataDir: process.argv[2] as string, clock: systemClock });
await state.startGeneration(1);
const reader = {
  read: async () => ({ version: "1", createdAt: undefined, fields: fields() }),
  describe: async () => ({ version: "1", createdAt: undefined }),
};
const ledger = new DerivedLedger(state, new StateSeal(Buffer.alloc(32, 7), "derived values"), systemClock);
const masks = new TreeMasks(state, reader, systemClock, () => [], noDerivation, ledger);

/** One answer of each way for each value, read to its end, left in the middle, or broken off by the target. */
async function answers(): Promise<number> {
  let masked = 0;
  using used = await masks.including("tree", { secret: "a", version: "1" }, fields());
  for (const way of Object.values(ways)) {
    for (const value of fields().values()) {
      for (const ending of ["whole", "left", "broken"]) {
        const { headers = [], trailers = [], type = "text/plain", body = "" } = way(value.toString());
        const parts = relay(
          {
            status: 200,
            headers: [...headers, ["content-type", type]],
            body: (async function* () {
              const bytes = Buffer.from(body);
              yield bytes.subarray(0, bytes.length >> 1);
              yield bytes.subarray(bytes.length >> 1);
              if (ending === "broken") throw new Error("the target broke off");
            })(),
            trailers: () => trailers,
            discard: () => {},
          },
          used.set,
          "uid",
          new AbortController().signal,
          new Traffic(parseOperation("t", undefined, { method: "GET", path: "/", headers: [], body: Buffer.alloc(0) })),
        );
        try {
          for (;;) {
            const { value: part, done } = await parts.next();
            if (ending === "left" && part?.kind === "data") {
              await parts.return({ kind: "end", trailers: [], maskedValues: 0 });
              break;
            }
            if (!done) continue;
            masked += part?.kind === "end" ? part.maskedValues : 0;
            break;
          }
        } catch {}
      }
    }
  }
  return masked;
}

/** By value, whether a string or a name in the heap is or holds it, as it is, in base64 or in hex. */
async function held(): Promise<Record<string, boolean>> {
  // The last text that the engine's regular expressions saw is its own affair.
  /x/u.test("x y");
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise(setImmediate);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of getHeapSnapshot()) chunks.push(Buffer.from(chunk));
  const heap = Buffer.concat(chunks);
  const found: Record<string, boolean> = { "any string": heap.includes("the target broke off") };
  for (const [name, value] of fields()) {
    const first = value.subarray(0, Math.min(24, value.length));
    found[name] = heap.includes(first) || heap.includes(first.toString("base64").slice(0, 24)) || heap.includes(first.toString("hex"));
  }
  return found;
}

const masked = await answers();
const live = await held();
masks.drop("tree");
const ended = await held();
console.log(JSON.stringify({ masked, live, ended }));
masks.close();
await state.close();
