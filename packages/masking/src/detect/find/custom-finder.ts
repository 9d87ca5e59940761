import type { Action, Found } from "../finding.ts";
import type { TextWindow } from "../text-window.ts";
import type { CustomPattern } from "./custom-pattern.ts";

export interface CustomRule {
  readonly category: string;
  readonly action: Action;
  readonly pattern: CustomPattern;
}

/** What ends a line: also what stands between the strings of a JSON text. */
const breaks = /[\n\r\v\f]/g;

/**
 * Looks for one pattern, line by line. A match is known once as many bytes have come after its beginning as the longest match has, and one
 * more, or its line has ended.
 */
export class CustomFinder {
  readonly #rule: CustomRule;
  readonly #found: Found;
  #next = 0;

  constructor(rule: CustomRule, found: Found) {
    this.#rule = rule;
    this.#found = found;
  }

  /** Reports what is found. @returns the position before which nothing will be found any more */
  scan(window: TextWindow, final: boolean): number {
    const { bytes, base, length } = window;
    const from = this.#next - base;
    if (from >= length) return this.#next;
    const { lines, longest } = this.#rule.pattern;
    // The byte before tells whether a word begins.
    const context = Math.max(0, from - 1);
    const text = bytes.toString("latin1", context, length).replaceAll(breaks, "\n");
    let at = from - context;
    // Ordinary text holds none, and this is the quick way to know.
    if (lines.test(text)) {
      for (let lineStart = at; lineStart < text.length; ) {
        const feed = text.indexOf("\n", lineStart);
        const whole = feed >= 0 || final;
        const lineEnd = feed >= 0 ? feed : text.length;
        at = this.#scanLine(text, lineStart, lineEnd, whole, base + context);
        if (!whole) break;
        lineStart = lineEnd + 1;
        at = lineStart;
      }
    }
    const lastBreak = text.lastIndexOf("\n") + 1;
    const settled = final ? text.length : Math.max(at, lastBreak, text.length - longest - 1);
    this.#next = base + context + Math.min(settled, text.length);
    return this.#next;
  }

  /** @returns where the search goes on */
  #scanLine(text: string, from: number, end: number, whole: boolean, base: number): number {
    const { pattern, category, action } = this.#rule;
    // With the byte before, where it is of the same line.
    const context = from > 0 && text[from - 1] !== "\n" ? from - 1 : from;
    const line = text.slice(context, end);
    if (!pattern.lines.test(line)) return from;
    const matcher = pattern.line.matcher(line);
    let at = from - context;
    while (at < line.length && matcher.find(at)) {
      const start = matcher.start();
      const stop = matcher.end();
      if (!whole && start + pattern.longest + 1 > line.length) return context + start;
      if (stop > start)
        this.#found({
          start: base + context + start,
          end: base + context + stop,
          category,
          action,
          done: true,
          value: action === "hash" ? line.slice(start, stop) : "",
        });
      at = Math.max(stop, start + 1);
    }
    return context + at;
  }
}
