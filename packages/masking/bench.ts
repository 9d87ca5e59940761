/** Throughput of masking: `node packages/masking/bench.ts [SECRETS…]`. Prints MB/s by kind of text, median of five runs. */
import { createHash, randomBytes } from "node:crypto";
import { Masker, MaskSet, placeholderFor } from "./src/index.ts";

const BYTES = 8 << 20;
const CHUNK_BYTES = 65536;

const words =
  "the gateway of a release waits until every order was paid and shipped; then it sends one line to the audit log of its region".split(" ");
const repeated = (make: (index: number) => string): Buffer => {
  const parts: string[] = [];
  for (let length = 0, index = 0; length < BYTES; index++) {
    const part = make(index);
    parts.push(part);
    length += part.length;
  }
  return Buffer.from(parts.join("")).subarray(0, BYTES);
};
const word = (index: number) => words[(index * 2654435761) % words.length]!;

const texts: Record<string, Buffer> = {
  plain: repeated((index) => `${word(index)}${index % 13 === 12 ? ".\n" : " "}`),
  json: repeated((index) => `{"id":${index},"name":"${word(index)}","note":"say \\"${word(index + 1)}\\"","sum":${index * 37}.50},\n`),
  base64: Buffer.from(randomBytes(BYTES).toString("base64")).subarray(0, BYTES),
  "base64 of text": Buffer.from(repeated((index) => `${word(index)} `).toString("base64")).subarray(0, BYTES),
  percent: repeated((index) => `q=${encodeURIComponent(`${word(index)} & ${word(index + 1)}/${index}`)}&`),
  "every byte percent": repeated((index) => `%${(97 + (index % 26)).toString(16)}`),
  hex: Buffer.from(randomBytes(BYTES / 2).toString("hex")),
  "random bytes": randomBytes(BYTES),
};

for (const secrets of (process.argv.slice(2).length > 0 ? process.argv.slice(2) : ["100", "1000"]).map(Number)) {
  const values = Array.from({ length: secrets }, (_, index) =>
    createHash("sha256")
      .update(`bench ${index}`)
      .digest("base64")
      .slice(0, 20 + (index % 24)),
  );
  const began = performance.now();
  const set = MaskSet.compile(
    values.map((value, index) => ({ placeholder: placeholderFor(`bench/${index}`, "value"), value: Buffer.from(value) })),
  );
  console.log(`${secrets} secrets, compiled in ${(performance.now() - began).toFixed(1)} ms`);
  const near = Buffer.from(values[0]!.slice(0, -1).repeat(Math.ceil(BYTES / (values[0]!.length - 1)))).subarray(0, BYTES);
  for (const [name, text] of Object.entries({ ...texts, "near misses": near })) {
    const rates: number[] = [];
    let worst = 0;
    for (let run = 0; run < 5; run++) {
      const masker = new Masker(set);
      const start = performance.now();
      for (let at = 0; at < text.length; at += CHUNK_BYTES) {
        const before = performance.now();
        masker.push(text.subarray(at, at + CHUNK_BYTES));
        worst = Math.max(worst, performance.now() - before);
      }
      masker.end();
      if (masker.count > 0) throw new Error(`${name}: ${masker.count} found`);
      rates.push(text.length / 1e6 / ((performance.now() - start) / 1000));
    }
    rates.sort((one, other) => one - other);
    console.log(`  ${name.padEnd(20)} ${rates[2]!.toFixed(1).padStart(8)} MB/s   longest push ${worst.toFixed(1)} ms`);
  }
}
