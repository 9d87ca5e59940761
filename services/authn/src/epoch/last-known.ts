import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { StateMark } from "@sallyport/state";

/**
 * Where the state stood when this authn last saw it, kept outside of the state, so that a state that comes back empty or
 * older is told apart from one that is new.
 */
export class LastKnown {
  readonly #folder: string;
  readonly #file: string;

  /** @param folder authn's own, in the data folder */
  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, "last-known-state.json");
  }

  /** Undefined before the first start. @throws Error where the file is there and cannot be read: that is no first start */
  read(): StateMark | undefined {
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    const { generation, epoch, tick } = JSON.parse(text) as StateMark;
    if (typeof generation !== "string" || !Number.isSafeInteger(epoch) || !Number.isSafeInteger(tick)) {
      throw new Error(`${this.#file} is damaged: restore it, or delete it to let every credential of before live on`);
    }
    return { generation, epoch, tick };
  }

  /** Replaces the file whole; on disk when this returns. */
  write({ generation, epoch, tick }: StateMark): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const next = `${this.#file}.next`;
    const file = openSync(next, "w", 0o600);
    writeSync(file, JSON.stringify({ generation, epoch, tick }));
    fsyncSync(file);
    closeSync(file);
    renameSync(next, this.#file);
    const folder = openSync(this.#folder, "r");
    fsyncSync(folder);
    closeSync(folder);
  }
}
