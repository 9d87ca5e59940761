import { printable } from "@sallyport/contracts";
import Table from "cli-table3";
import { safeJson, safeYaml } from "./escaped.ts";
import type { Form } from "./form.ts";

/** Result columns by their heading, in order: what each shows of an item. */
export type Columns<T> = Record<string, (item: T) => string | readonly string[]>;

const maxCell = 200;

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
      return result(table([Object.keys(columns).map((name) => name.toUpperCase()), ...items.map((item) => rowOf(item, columns))]));
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
  const rows = rowOf(item, columns).flatMap((cell, at): string[][] => (cell === "" ? [] : [[names[at] ?? "", cell]]));
  return table(rows);
}

/** Texts of others stay on their line; a cell that the command itself breaks into lines keeps them. */
const rowOf = <T>(item: T, columns: Columns<T>): string[] =>
  Object.values(columns).map((column) => {
    const cell = column(item);
    return typeof cell === "string" ? printable(cell, maxCell) : cell.map((line) => printable(line, maxCell)).join("\n");
  });

function table(rows: string[][]): string {
  const none = Object.fromEntries(
    [
      "top",
      "top-mid",
      "top-left",
      "top-right",
      "bottom",
      "bottom-mid",
      "bottom-left",
      "bottom-right",
      "left",
      "left-mid",
      "mid",
      "mid-mid",
      "right",
      "right-mid",
    ].map((name) => [name, ""]),
  );
  const drawn = new Table({ chars: { ...none, middle: "  " }, style: { head: [], border: [], "padding-left": 0, "padding-right": 0 } });
  drawn.push(...rows);
  return drawn.toString().replace(/ +$/gm, "");
}
