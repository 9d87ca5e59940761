import type { Finding } from "./finding.ts";
import { TextWindow } from "./text-window.ts";

/** A body as it came, and as finders see it. */
export interface Source {
  readonly raw: TextWindow;
  readonly view: TextWindow;
  /** Position in the body before which the source itself holds nothing back. */
  readonly settled: number;
  append(chunk: Uint8Array): void;
  finish(): void;
  /** The position in the body of one in the view. */
  rawPosition(position: number): number;
  /** A finding in the view, as one in the body. It goes on where the other does. */
  toRaw(finding: Finding): Finding;
  /** What stands before these positions is not needed any more. */
  forget(viewPosition: number, rawPosition: number): void;
}

/** A body that finders see as it is. */
export class TextSource implements Source {
  readonly raw = new TextWindow();
  readonly view = this.raw;

  get settled(): number {
    return this.raw.end;
  }

  append(chunk: Uint8Array): void {
    this.raw.append(chunk);
  }

  finish(): void {}

  rawPosition(position: number): number {
    return position;
  }

  toRaw(finding: Finding): Finding {
    return finding;
  }

  forget(viewPosition: number, rawPosition: number): void {
    this.raw.forget(Math.min(viewPosition, rawPosition));
  }
}

/** A finding in a view, as one in the body. */
export class RawFinding implements Finding {
  readonly #seen: Finding;
  readonly #map: { raw(position: number): number };
  readonly start: number;

  constructor(seen: Finding, map: { raw(position: number): number }) {
    this.#seen = seen;
    this.#map = map;
    this.start = map.raw(seen.start);
  }

  get end(): number {
    return this.#map.raw(this.#seen.end);
  }

  get category(): string {
    return this.#seen.category;
  }

  get action(): Finding["action"] {
    return this.#seen.action;
  }

  get done(): boolean {
    return this.#seen.done;
  }

  get value(): string {
    return this.#seen.value;
  }
}
