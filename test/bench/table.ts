import { type Figure, titleOf } from "./figure.ts";

/** The figures as people read them. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ value, unit, p50, p99, peer, peerValue, ratio, ...figure }) => [
    titleOf(figure),
    `${value} ${unit}`,
    p50 === null ? "" : `${p50} ms`,
    p99 === null ? "" : `${p99} ms`,
    peer === null ? "" : `${peerValue} ${unit}`,
    ratio === null ? "" : `${ratio}`,
    peer ?? "",
  ]);
  const all = [["", "Sallyport", "p50", "p99", "peer", "ratio", ""], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const skipped = [...new Set(figures.flatMap(({ name, skipped }) => (skipped === undefined ? [] : [`${name} stands alone: ${skipped}`])))];
  return [...lines, ...skipped].join("\n");
}
