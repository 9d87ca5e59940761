import { compileRules, type DataFormat, DataMasker } from "@sallyport/masking/detect";
import { type Figure, median, rounded, type Settings } from "./figure.ts";
import { plainText, pushAll, rate, repeated, word } from "./megabytes.ts";

const texts: Record<string, { readonly make: () => Buffer; readonly format?: DataFormat }> = {
  text: { make: plainText },
  log: {
    make: () =>
      repeated(
        (index) =>
          `2026-11-25T08:59:48.${100 + (index % 900)}Z INFO orders[${index % 999}] user=${word(index)} id=550e8400-e29b-41d4-a716-${446_655_440_000 + index} GET /v1/orders/${index} 200\n`,
      ),
  },
  JSON: {
    make: () =>
      repeated((index) => `{"id":${index},"name":"${word(index)}","note":"say \\"${word(index + 1)}\\"","sum":${index * 37}.50}\n`),
    format: "json",
  },
  findings: { make: () => repeated((index) => `user alice${index}@example.com paid with 4111 1111 1111 1111 to DE89370400440532013000\n`) },
  "digits and blanks": { make: () => repeated(() => "4111 ") },
  "near addresses": { make: () => repeated(() => "a@") },
  "near tokens": { make: () => repeated(() => "eyJhbGci-") },
};

/** Megabytes a second (10⁶ bytes) in which one core looks for data with every built-in detector, by kind of text. */
export function detect({ runs, say }: Settings): Figure[] {
  const rules = compileRules([{ detect: ["credentials", "personal"], do: "mask" }]);
  return Object.entries(texts).map(([kind, { make, format = "text" }]) => {
    const text = make();
    const run = () => rate(() => pushAll(new DataMasker(rules, { format }), text));
    // What V8 has seen run often it compiles.
    run();
    const measured = Array.from({ length: runs }, run);
    const value = rounded(median(measured));
    say(`detect, ${kind}: ${value} MB/s`);
    return {
      name: "detect",
      kind,
      value,
      unit: "MB/s",
      p50: null,
      p99: null,
      peer: null,
      peerValue: null,
      ratio: null,
      runs: measured.map((each) => ({ value: rounded(each), peerValue: null })),
    };
  });
}
