import type { Report } from "./report.ts";
import type { Second } from "./timeline.ts";

/** Latencies, uses and refusals over time as lines of text, with a letter below for each fault. */
export function textPlot(report: Report, columns = 100): string {
  const buckets = bucketsOf(report.seconds, columns);
  const { length } = report.seconds;
  const faults = new Array<string>(buckets.length).fill(" ");
  report.faults.forEach(({ at }, index) => {
    faults[Math.min(buckets.length - 1, Math.floor((at / length) * buckets.length))] = letterOf(index);
  });
  const row = (name: string, unit: string, values: readonly (number | null)[]) => {
    const most = Math.max(...values.map((value) => value ?? 0));
    return `${name.padEnd(8)} ${values.map((value) => blockOf(value, most)).join("")}  up to ${Number(most.toPrecision(3))} ${unit}`;
  };
  return [
    row(
      "p99",
      "ms",
      buckets.map(({ p99 }) => p99),
    ),
    row(
      "p50",
      "ms",
      buckets.map(({ p50 }) => p50),
    ),
    row(
      "done",
      "/s",
      buckets.map(({ done }) => done),
    ),
    row(
      "refused",
      "/s",
      buckets.map(({ refused }) => refused),
    ),
    `faults   ${faults.join("")}  0 to ${length} s`,
    ...report.faults.map(({ name, at, backAt, recoveredMs }, index) => {
      const recovered = recoveredMs === null ? "not recovered" : `a use succeeds at each broker ${recoveredMs} ms later`;
      return `  ${letterOf(index)}  ${at} s  ${name}; back at ${backAt} s, ${recovered}`;
    }),
  ].join("\n");
}

const blocks = " ▁▂▃▄▅▆▇█";

/** Nothing where there is nothing to show; the lowest block for the least that is more than that. */
const blockOf = (value: number | null, most: number): string =>
  value === null || value === 0 || most === 0 ? " " : (blocks[Math.max(1, Math.round((value / most) * 8))] as string);

const letterOf = (index: number) => String.fromCharCode(97 + (index % 26));

interface Bucket {
  /** Milliseconds: the worst of its seconds. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** A second, on average. */
  readonly done: number;
  readonly refused: number;
}

function bucketsOf(seconds: readonly Second[], columns: number): Bucket[] {
  const count = Math.min(columns, seconds.length);
  return Array.from({ length: count }, (_, index) => {
    const part = seconds.slice(Math.floor((index * seconds.length) / count), Math.floor(((index + 1) * seconds.length) / count));
    const worst = (values: (number | null)[]) => values.reduce((most, value) => (value === null ? most : Math.max(most ?? 0, value)), null);
    return {
      p50: worst(part.map(({ p50 }) => p50)),
      p99: worst(part.map(({ p99 }) => p99)),
      done: average(part.map(({ done }) => done)),
      refused: average(part.map(refusedIn)),
    };
  });
}

const average = (values: readonly number[]) => values.reduce((all, one) => all + one, 0) / values.length;
const refusedIn = ({ refused }: Second) => Object.values(refused).reduce((all, one) => all + one, 0);

const [left, right, width, panel, gap] = [56, 16, 900, 150, 44];
const colours = { p50: "#2f6fb3", p99: "#d97706", done: "#b9c0ca", refused: "#c0392b", fault: "#f3e3e0" };

/** The same as a picture: latency above on a logarithmic scale, uses a second below, a band for each fault while its part was gone. */
export function svgPlot({ seconds, faults, settings }: Report): string {
  const inner = width - left - right;
  const x = (at: number) => left + (at / seconds.length) * inner;
  const [top, below] = [40, 40 + panel + gap];
  const height = below + panel + 30;
  const powers = Math.max(2, Math.ceil(Math.log10(Math.max(10, ...seconds.map(({ p99 }) => p99 ?? 0)))));
  const latency = (ms: number) => top + panel - (Math.log10(Math.max(1, ms)) / powers) * panel;
  const most = Math.max(1, ...seconds.map((second) => Math.max(second.done, refusedIn(second))));
  const rate = (count: number) => below + panel - (count / most) * panel;
  const bands = faults.map(({ name, at, backAt }, index) => {
    const from = x(at);
    const shade = `<rect x="${from.toFixed(1)}" y="${top}" width="${Math.max(2, x(backAt) - from).toFixed(1)}" height="${below + panel - top}" fill="${colours.fault}"/>`;
    return `${shade}<g><title>${name}</title>${label(from, top - 6, letterOf(index), 'fill="#6b7280"')}</g>`;
  });
  const grid = [
    ...Array.from({ length: powers + 1 }, (_, power) => rule(latency(10 ** power), `${(10 ** power).toLocaleString("en")} ms`)),
    ...[0, most / 2, most].map((count) => rule(rate(count), `${Math.round(count)}/s`)),
  ];
  const bars = seconds.map((second) => {
    const bar = (count: number, colour: string) =>
      `<rect x="${x(second.at).toFixed(1)}" y="${rate(count).toFixed(1)}" width="${(inner / seconds.length).toFixed(2)}" height="${(below + panel - rate(count)).toFixed(1)}" fill="${colour}"/>`;
    return bar(second.done, colours.done) + (refusedIn(second) === 0 ? "" : bar(refusedIn(second), colours.refused));
  });
  const line = (of: (second: Second) => number | null, colour: string) =>
    `<path d="${pathThrough(seconds.flatMap((second) => (of(second) === null ? [] : [[x(second.at + 0.5), latency(of(second) as number)] as const])))}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
  const ticks = Array.from({ length: 7 }, (_, part) =>
    label(left + (part / 6) * inner, height - 10, `${Math.round((part / 6) * seconds.length)} s`, 'text-anchor="middle" fill="#6b7280"'),
  );
  const key = faults.map(({ name }, index) => `${letterOf(index)} ${name}`).join("   ");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + 18}" viewBox="0 0 ${width} ${height + 18}" font-family="system-ui, sans-serif" font-size="11">
<title>${settings.agents} agents, ${settings.seconds} s, seed ${settings.seed}: latency and refusals while parts are killed</title>
<rect width="${width}" height="${height + 18}" fill="#ffffff"/>
${label(left, 16, "latency of a use: p50 blue, p99 orange")}
${label(left, below - 22, "uses a second: done grey, refused red")}
${[...bands, ...grid, ...bars].join("\n")}
${line(({ p50 }) => p50, colours.p50)}
${line(({ p99 }) => p99, colours.p99)}
${ticks.join("\n")}
${label(left, height + 10, key, 'fill="#6b7280" font-size="9"')}
</svg>
`;
}

const pathThrough = (points: readonly (readonly [number, number])[]) =>
  points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

const rule = (y: number, name: string) =>
  `<line x1="${left}" y1="${y.toFixed(1)}" x2="${width - right}" y2="${y.toFixed(1)}" stroke="#e2e5ea"/>${label(left - 6, y + 4, name, 'text-anchor="end" fill="#6b7280"')}`;

const label = (x: number, y: number, content: string, more = 'fill="#1f2937"') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${content.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`;
