// Has a text looked at, and says whether the heap of this process still holds it.
import { getHeapSnapshot } from "node:v8";
import { MaskSet, maskHeaderValue } from "@sallyport/masking";
import { CleanTexts } from "./clean-texts.ts";

const texts = new CleanTexts(maskHeaderValue);
const set = MaskSet.compile([{ placeholder: "[masked]", value: Buffer.from("canary-4711") }]);
// Put together anew where it is wanted, so that this file does not hold it either.
const value = () => ["later", "a", "secret", `${process.pid}`].join("-");
texts.mask(set, `GET /v1/x?key=${value()}`);
// The last text that the engine's regular expressions saw is its own affair.
texts.mask(set, "GET /v1/other");
const chunks: Buffer[] = [];
for await (const chunk of getHeapSnapshot()) chunks.push(Buffer.from(chunk));
const heap = Buffer.concat(chunks);
console.log(
  JSON.stringify({
    held: heap.includes(`key=${value()}`),
    whole: heap.includes("CleanTexts"),
    remembers: texts.mask(set, "GET /v1/other"),
  }),
);
