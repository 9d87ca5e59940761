import { type FieldRule, strictestOf } from "../data-rules.ts";
import { type Finding, type Found, MAX_VALUE_BYTES } from "../finding.ts";
import { PathFollower, type Progress } from "./json-path.ts";

interface Frame {
  readonly array: boolean;
  readonly progress: readonly Progress[];
  /** Of the element that comes next or is there. */
  index: number;
  /** Steps taken to the member whose name was read. */
  member: readonly Progress[];
  /** Members that were passed on. */
  kept: number;
  /** Where the member begins: at the comma before it, or at its name. */
  memberAt: number;
}

interface Current {
  readonly finding: Finding;
  /** Containers around it. */
  readonly depth: number;
  readonly text: boolean;
}

/** Follows where one is in a JSON text, and reports the values that field rules speak of. Positions are of the body. */
export class FieldTracker {
  readonly #rules: readonly FieldRule[];
  readonly #found: Found;
  readonly #follower: PathFollower;
  readonly #drops: boolean;
  readonly #frames: Frame[] = [];
  #current: Current | undefined;
  /** A dropped first member, whose comma goes with it. */
  #closing: Finding | undefined;
  #hold = Number.POSITIVE_INFINITY;

  constructor(rules: readonly FieldRule[], found: Found) {
    this.#rules = rules;
    this.#found = found;
    this.#follower = new PathFollower(rules.map(({ path }) => path));
    this.#drops = rules.some(({ action }) => action === "drop");
  }

  /** Within a value that a rule speaks of: detectors need not look at it. */
  get inside(): boolean {
    return this.#current !== undefined;
  }

  /** What stands from here on may be dropped. */
  get hold(): number {
    return this.#hold;
  }

  key(name: string): void {
    const frame = this.#frames.at(-1)!;
    frame.member = this.#follower.into(frame.progress, name);
  }

  keyBegins(at: number): void {
    const frame = this.#frames.at(-1)!;
    if (frame.kept === 0) frame.memberAt = at;
    if (this.#drops) this.#hold = Math.min(this.#hold, frame.memberAt);
  }

  comma(at: number): void {
    const frame = this.#frames.at(-1)!;
    frame.index++;
    frame.memberAt = at;
    if (this.#closing !== undefined) this.#close(at + 1);
    else if (this.#drops && !frame.array) this.#hold = at;
  }

  /** A text or a container begins. */
  begins(at: number, kind: "text" | "object" | "array"): void {
    const progress = this.#here();
    this.#report(progress, at, at + 1, kind === "text");
    this.#hold = Number.POSITIVE_INFINITY;
    if (kind !== "text")
      this.#frames.push({ array: kind === "array", progress: this.inside ? [] : progress, index: 0, member: [], kept: 0, memberAt: at });
  }

  /** A text or a container ends before `at`. @param written what of a text there was last */
  ends(at: number, container: boolean): void {
    if (container) {
      if (this.#closing !== undefined) this.#close(at - 1);
      this.#frames.pop();
    }
    const current = this.#current;
    if (current === undefined || this.#frames.length !== current.depth) return;
    this.#current = undefined;
    this.#finish(current, at);
  }

  /** A number or a word, all of it. */
  scalar(start: number, end: number, isNull: boolean, written: string): void {
    const progress = this.#here();
    if (isNull) this.#keep();
    else {
      this.#report(progress, start, end, false);
      const current = this.#current;
      if (current !== undefined && current.finding.start <= start && this.#frames.length === current.depth) {
        this.#current = undefined;
        if (current.finding.action === "hash") current.finding.value = written;
        this.#finish(current, end);
      }
    }
    this.#hold = Number.POSITIVE_INFINITY;
  }

  /** More of the body was read, up to `at`; `written` is what of the current value has come since the last time. */
  reached(at: number, written: () => string): void {
    const finding = this.#current?.finding ?? this.#closing;
    if (finding === undefined) return;
    finding.end = Math.max(finding.end, at);
    if (this.#current !== undefined && finding.action === "hash" && finding.value.length < MAX_VALUE_BYTES) finding.value += written();
  }

  /** The text ends, or turns out to be none. */
  reset(at: number): void {
    const finding = this.#current?.finding ?? this.#closing;
    if (finding !== undefined) {
      finding.end = at;
      finding.done = true;
    }
    this.#current = undefined;
    this.#closing = undefined;
    this.#frames.length = 0;
    this.#hold = Number.POSITIVE_INFINITY;
  }

  #here(): readonly Progress[] {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return this.#follower.start();
    return frame.array ? this.#follower.into(frame.progress, frame.index) : frame.member;
  }

  #keep(): void {
    const frame = this.#frames.at(-1);
    if (frame !== undefined) frame.kept++;
  }

  #report(progress: readonly Progress[], start: number, end: number, text: boolean): void {
    const reached = this.inside ? [] : this.#follower.reached(progress).map((path) => this.#rules[path]!);
    if (reached.length === 0) return this.#keep();
    const { action, category } = strictestOf(reached);
    const frame = this.#frames.at(-1);
    const member = action === "drop" && frame !== undefined && !frame.array;
    if (!member) this.#keep();
    const finding: Finding = { start: member ? frame.memberAt : start, end, category, action, done: false, value: "", bare: true, member };
    this.#current = { finding, depth: this.#frames.length, text };
    this.#found(finding);
  }

  #finish({ finding, text }: Current, end: number): void {
    finding.end = end;
    if (text && finding.action === "hash") finding.value = textOf(finding.value);
    const frame = this.#frames.at(-1);
    if (finding.member === true && frame?.kept === 0) this.#closing = finding;
    else finding.done = true;
  }

  #close(end: number): void {
    const finding = this.#closing!;
    finding.end = end;
    finding.done = true;
    this.#closing = undefined;
  }
}

/** What a JSON string says, as bytes in Latin-1; where it was cut, as it stands. */
function textOf(written: string): string {
  try {
    return Buffer.from(JSON.parse(Buffer.from(written, "latin1").toString()) as string).toString("latin1");
  } catch {
    return written;
  }
}
