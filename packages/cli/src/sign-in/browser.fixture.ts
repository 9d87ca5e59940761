import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A stand-in for the command that opens the person's browser: it notes the address that it is given. */
export class BrowserCommand {
  readonly env: { readonly PATH: string; readonly DISPLAY: string };
  readonly #opened: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#opened = join(folder, "opened");
    const script = join(folder, "xdg-open");
    writeFileSync(script, `#!/bin/sh\nprintf '%s' "$1" > '${this.#opened}.part' && mv '${this.#opened}.part' '${this.#opened}'\n`);
    chmodSync(script, 0o755);
    this.env = { PATH: `${folder}${delimiter}${process.env.PATH ?? ""}`, DISPLAY: ":0" };
  }

  /** The address that was opened, once. */
  async opened(): Promise<string> {
    for (const end = Date.now() + 15_000; !existsSync(this.#opened); await sleep(20)) {
      if (Date.now() > end) throw new Error("no browser was opened");
    }
    const url = readFileSync(this.#opened, "utf8");
    rmSync(this.#opened);
    return url;
  }
}
