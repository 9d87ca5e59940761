import { printable } from "@sallyport/contracts";
import { safeJson, safeYaml } from "./escaped.ts";
import type { Form } from "./form.ts";

/** Result columns by their heading, in order: what each shows of an item. */
export type Columns<T> = Record<string, (item: T) => string | readonly string[]>;

/** Characters of a cell in a list; one thing alone is shown whole, as people decide on what they see. */
const maxCellOfMany = 160;
const maxCellOfOne = 16_384;

/** Results go to standard output, and nothing else does. */
export const result = (text: string): void => void process.stdout.write(`${text}\n`);

/** Everything that is for the person alone goes to standard error. */
export const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** @param empty what a table says where there is nothing, on standard error */
export function printAll<T>(form: Form, items: readonly T[], columns: Columns<T>, empty: string): void {
  switch (form) {
    case "json":
      return result(safeJson(items, 2));
    case "jsonl":
      for (const item of items) result(safeJson(item));
      return;
    case "yaml":
      return result(safeYaml(items).trimEnd());
    case "table":
      if (items.length === 0) return note(empty);
      return result(
        table([Object.keys(columns).map((name) => name.toUpperCase()), ...items.map((item) => rowOf(item, columns, maxCellOfMany))]),
      );
  }
}

/** One thing: as a table, a line for each column. */
export function printOne<T>(form: Form, item: T, columns: Columns<T>): void {
  switch (form) {
    case "json":
      return result(safeJson(item, 2));
    case "jsonl":
      return result(safeJson(item));
    case "yaml":
      return result(safeYaml(item).trimEnd());
    case "table":
      return result(describe(item, columns));
  }
}

/** What {@link printOne} shows as a table. */
export function describe<T>(item: T, columns: Columns<T>): string {
  const names = Object.keys(columns);
  const rows = rowOf(item, columns, maxCellOfOne).flatMap((cell, at): string[][] => (cell === "" ? [] : [[names[at] ?? "", cell]]));
  return table(rows);
}

/** Texts of others stay on their line; a cell that the command itself breaks into lines keeps them. */
const rowOf = <T>(item: T, columns: Columns<T>, maxCell: number): string[] =>
  Object.values(columns).map((column) => {
    const cell = column(item);
    return typeof cell === "string" ? printable(cell, maxCell) : cell.map((line) => printable(line, maxCell)).join("\n");
  });

/** Columns beside each other, two spaces apart; the last is never padded. */
function table(rows: readonly string[][]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, ...cell.split("\n").map(widthOf));
  return rows.flatMap((row) => linesOf(row, widths)).join("\n");
}

function linesOf(row: readonly string[], widths: readonly number[]): string[] {
  const cells = row.map((cell) => cell.split("\n"));
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, at) =>
    cells
      .map((lines, column) => padded(lines[at] ?? "", widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

const padded = (text: string, width: number) => text + " ".repeat(Math.max(0, width - widthOf(text)));

/** In columns of a terminal, near enough: wide scripts and pictures take two, marks none. */
const widthOf = (text: string): number =>
  [...text].reduce((width, character) => width + (/\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1), 0);

const wide = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
