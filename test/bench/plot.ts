// node test/bench/plot.ts FILE: draws docs/images/benchmarks.svg from what `npm run bench -- --json FILE` wrote.
import { readFileSync, writeFileSync } from "node:fs";
import { type Figure, titleOf } from "./figure.ts";

const [left, barsWidth, barHeight, gap] = [200, 460, 18, 16];
const colours = { ours: "#2f6fb3", theirs: "#b9c0ca" };

const figures = (JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Figure[]).filter(({ unit }) => unit === "1/s");
const file = new URL("../../docs/images/benchmarks.svg", import.meta.url);
writeFileSync(file, plot(figures));
console.log(file.pathname);

/** Calls per second, on a logarithmic scale as they lie far apart: ours above, the peer's below. */
function plot(rows: readonly Figure[]): string {
  const most = Math.ceil(Math.log10(Math.max(...rows.flatMap(({ value, peerValue }) => [value, peerValue ?? 1]))));
  const length = (value: number) => (Math.log10(Math.max(1, value)) / most) * barsWidth;
  const top = 50;
  const height = top + rows.length * (2 * barHeight + gap) + 8;
  const grid = Array.from({ length: most + 1 }, (_, power) => {
    const x = left + (power / most) * barsWidth;
    return `<line x1="${x}" y1="${top - 8}" x2="${x}" y2="${height - 8}" stroke="#e2e5ea"/>${text(x, top - 14, (10 ** power).toLocaleString("en"), 'text-anchor="middle" fill="#6b7280"')}`;
  });
  const bars = rows.map((figure, i) => {
    const y = top + i * (2 * barHeight + gap);
    const bar = (value: number, at: number, colour: string, label: string) =>
      `<rect x="${left}" y="${at}" width="${length(value).toFixed(1)}" height="${barHeight - 2}" rx="2" fill="${colour}"/>${text(left + length(value) + 6, at + 13, label)}`;
    const peer =
      figure.peerValue === null
        ? ""
        : bar(figure.peerValue, y + barHeight, colours.theirs, `${figure.peerValue}  ${(figure.peer ?? "").split(/[ ,]/)[0]}`);
    return text(16, y + 22, titleOf(figure)) + bar(figure.value, y, colours.ours, `${figure.value}  Sallyport`) + peer;
  });
  const width = left + barsWidth + 150;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>Calls per second beside the peers</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${text(16, 18, "calls per second, logarithmic")}
${[...grid, ...bars].join("\n")}
</svg>
`;
}

function text(x: number, y: number, content: string, more = 'fill="#1f2937"'): string {
  return `<text x="${x.toFixed(1)}" y="${y}" ${more}>${content.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`;
}
