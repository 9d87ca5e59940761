import { styleText } from "node:util";
import { printed } from "./process.ts";

/** Tells the story to a person, or to a machine; counts what was not as it should be. */
export class Reporter {
  readonly #json: boolean;
  #passed = 0;
  failed = 0;

  constructor(json: boolean) {
    this.#json = json;
  }

  /** A part of the story begins. */
  chapter(title: string): void {
    if (this.#json) this.#print(JSON.stringify({ chapter: title }));
    else this.#print(`\n${this.#style("bold", title)}`);
  }

  /** Something that must be so. */
  check(ok: boolean, what: string, detail = ""): void {
    if (ok) this.#passed++;
    else this.failed++;
    if (this.#json) this.#print(JSON.stringify({ check: what, ok, ...(detail === "" ? {} : { detail }) }));
    else
      this.#print(
        `  ${ok ? this.#style("green", "✔") : this.#style("red", "✘")} ${what}${detail === "" ? "" : this.#style("dim", ` · ${detail}`)}`,
      );
  }

  /** Something worth seeing. */
  show(text: string, data?: unknown): void {
    if (this.#json) this.#print(JSON.stringify({ show: text, ...(data === undefined ? {} : { data }) }));
    else this.#print(`    ${text}`);
  }

  broken(error: unknown): void {
    this.check(false, "the story went through", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  end(state: string): void {
    if (this.#json) this.#print(JSON.stringify({ passed: this.#passed, failed: this.failed, state }));
    else this.#print(`\n${this.#passed} as it should be, ${this.failed} not. Everything that was written is in ${state}`);
  }

  #print(line: string): void {
    printed.push(line);
    console.log(line);
  }

  #style(format: Parameters<typeof styleText>[0], text: string): string {
    return styleText(format, text, { stream: process.stdout });
  }
}
