import type { ReceivedSpan } from "../support/otlp-receiver.ts";

const rowHeight = 26;
const namesWidth = 430;
const barsWidth = 560;
const margin = 16;
const colours = ["#7c5cbf", "#2f6fb3", "#2e8b6f", "#b3562f", "#8a6d1f", "#555e6b"];

/** One trace as a waterfall: a row for each span in its parent's order, a bar from its start to its end, a colour for each service. */
export function waterfall(spans: readonly ReceivedSpan[]): string {
  const rows = ordered(spans);
  const start = Math.min(...spans.map(({ startedAt }) => startedAt));
  const end = Math.max(...spans.map(({ endedAt }) => endedAt));
  const x = (at: number) => namesWidth + ((at - start) / (end - start)) * barsWidth;
  const services = [...new Set(rows.map(({ span }) => span.service))];
  const colourOf = (service: string) => colours[services.indexOf(service) % colours.length];
  const top = 54;
  const width = namesWidth + barsWidth + 90;
  const height = top + rows.length * rowHeight + 20;
  const legend = services.map((service, i) => {
    const left = margin + i * 160;
    return `<rect x="${left}" y="14" width="12" height="12" rx="2" fill="${colourOf(service)}"/>${text(left + 18, 24, service)}`;
  });
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = x(start + part * (end - start));
    const label = text(at, 46, `${(part * (end - start)).toFixed(0)} ms`, 'text-anchor="middle" fill="#6b7280"');
    return `<line x1="${at.toFixed(1)}" y1="52" x2="${at.toFixed(1)}" y2="${height - 16}" stroke="#e2e5ea"/>${label}`;
  });
  const bars = rows.map(({ span, depth }, i) => {
    const y = top + i * rowHeight;
    const [left, right] = [x(span.startedAt), x(span.endedAt)];
    const bar = `<rect x="${left.toFixed(1)}" y="${y + 6}" width="${Math.max(1.5, right - left).toFixed(1)}" height="13" rx="2" fill="${colourOf(span.service)}"/>`;
    const took = text(right + 5, y + 17, `${(span.endedAt - span.startedAt).toFixed(1)} ms`, 'fill="#6b7280"');
    return text(margin + depth * 14, y + 17, titleOf(span)) + bar + took;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>One use of a secret, from the agent's span to the evidence log</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${[...legend, ...grid, ...bars].join("\n")}
</svg>
`;
}

/** Parents before children, siblings by their start. */
function ordered(spans: readonly ReceivedSpan[]): { span: ReceivedSpan; depth: number }[] {
  const below = (parent: string, depth: number): { span: ReceivedSpan; depth: number }[] =>
    spans
      .filter(({ parentSpanId }) => parentSpanId === parent)
      .sort((a, b) => a.startedAt - b.startedAt)
      .flatMap((span) => [{ span, depth }, ...below(span.spanId, depth + 1)]);
  return below("", 0);
}

/** A call has a span on both of its sides, of one name. */
function titleOf({ name, kind, attributes }: ReceivedSpan): string {
  const side = { 2: " (served)", 3: " (called)" }[kind] ?? "";
  const target = attributes["sallyport.target"];
  return `${name.replace(/^sallyport\.\w+\.v1\./, "")}${target === undefined ? "" : ` ${target}`}${side}`;
}

function text(x: number, y: number, content: string, more = 'fill="#1f2937"'): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}" ${more}>${escaped}</text>`;
}
