/** Throughput of data masking with every detector: `node packages/masking/bench-detect.ts`. Prints MB per second of processor time by kind of text, the best of three runs. */
import { compileRules, type DataFormat, DataMasker } from "./src/detect/index.ts";

const BYTES = 4 << 20;
const CHUNK_BYTES = 65_536;

const words = "the gateway of a release waits until every order was paid and shipped; then it sends one line to the audit log".split(" ");
const word = (index: number) => words[(index * 2_654_435_761) % words.length]!;
const repeated = (make: (index: number) => string): Buffer => {
  const parts: string[] = [];
  for (let length = 0, index = 0; length < BYTES; index++) {
    parts.push(make(index));
    length += parts.at(-1)!.length;
  }
  return Buffer.from(parts.join("")).subarray(0, BYTES);
};

const texts: Record<string, [Buffer, DataFormat]> = {
  plain: [repeated((index) => `${word(index)}${index % 13 === 12 ? ".\n" : " "}`), "text"],
  log: [
    repeated(
      (index) =>
        `2026-11-25T08:59:48.${100 + (index % 900)}Z INFO orders[${index % 999}] user=${word(index)} id=550e8400-e29b-41d4-a716-${446_655_440_000 + index} GET /v1/orders/${index} 200\n`,
    ),
    "text",
  ],
  json: [
    repeated((index) => `{"id":${index},"name":"${word(index)}","note":"say \\"${word(index + 1)}\\"","sum":${index * 37}.50}\n`),
    "json",
  ],
  findings: [repeated((index) => `user alice${index}@example.com paid with 4111 1111 1111 1111 to DE89370400440532013000\n`), "text"],
  "digits and blanks": [repeated(() => "4111 "), "text"],
  "near addresses": [repeated(() => "a@"), "text"],
  "near tokens": [repeated(() => "eyJhbGci-"), "text"],
};

const rules = compileRules([{ detect: ["credentials", "personal"], do: "mask" }]);
for (const [name, [text, format]] of Object.entries(texts)) {
  let best = 0;
  for (let run = 0; run < 3; run++) {
    const masker = new DataMasker(rules, { format });
    const before = process.cpuUsage();
    for (let at = 0; at < text.length; at += CHUNK_BYTES) masker.push(text.subarray(at, at + CHUNK_BYTES));
    masker.end();
    best = Math.max(best, text.length / process.cpuUsage(before).user);
  }
  console.log(`  ${name.padEnd(20)} ${best.toFixed(0).padStart(6)} MB/s`);
}
