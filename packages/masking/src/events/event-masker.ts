/**
 * Masks a stream of events (server-sent events, NDJSON). Beside what a `Masker` sees in its bytes, the text at each JSON pointer is
 * followed from event to event, so that a value cut into deltas (`{"d":"Zq7k"}`, `{"d":"P9tR"}`, …) is masked too: the placeholder
 * stands where it began, and the rest of it is left out. Data that is no JSON is followed as one text.
 *
 * An event goes out once it is complete, unless the text at one of its pointers ends in what may be the beginning of a value; it
 * then waits, and those after it, for the next event with that pointer. It waits through 16 events without it, and no longer; and
 * never for what cannot be a value's beginning.
 */
import type { MaskSet } from "../mask-set.ts";
import { Masker } from "../masker.ts";
import { type EventFormat, EventSplitter } from "./event-splitter.ts";
import { type EventText, textsOf } from "./event-texts.ts";
import { Follower } from "./follower.ts";
import { HeldEvent } from "./held-event.ts";

/** Events without a pointer after which what was at it is waited for no more. */
const MAX_EVENTS_WITHOUT = 16;
/** Pointers that are followed at a time; of more, the one that was not seen for longest is given up. */
const MAX_POINTERS = 256;
/** Texts of one event that begin to be followed: an event of thousands of strings must not hold up everybody else. */
const MAX_NEW_POINTERS = 256;
/** Bytes of events that may wait. */
const MAX_HELD_BYTES = 4 << 20;

export class EventMasker {
  readonly #set: MaskSet;
  readonly #masker: Masker;
  readonly #format: EventFormat;
  readonly #splitter: EventSplitter;
  /** In the order in which they were last seen. */
  readonly #followers = new Map<string, Follower>();
  /** Finished, to be used again: making one costs more than following a text. */
  readonly #idle: Follower[] = [];
  #events: HeldEvent[] = [];
  #heldBytes = 0;
  #number = 0;
  #count = 0;
  #across = 0;

  constructor(set: MaskSet, format: EventFormat) {
    this.#set = set;
    this.#masker = new Masker(set);
    this.#format = format;
    this.#splitter = new EventSplitter(format);
  }

  /** How many placeholders were written. */
  get count(): number {
    return this.#count + this.#masker.count;
  }

  /** How many values were found cut over several events: told as soon as they are complete, though the events may still wait. */
  get across(): number {
    return this.#across;
  }

  /** Takes the next bytes; returns what is safe to pass on: whole events, but for those that wait. */
  push(chunk: Uint8Array): Uint8Array {
    this.#set.assertWhole();
    if (this.#set.automaton === undefined) return chunk;
    const out: Uint8Array[] = [];
    for (const { bytes, whole } of this.#splitter.push(chunk)) {
      if (whole) this.#read(bytes);
      else this.#forget();
      this.#release(out);
      if (!whole) out.push(copied(this.#masker.push(bytes)));
    }
    return Buffer.concat(out);
  }

  /** The stream ends: everything comes out. The masker is then as new. */
  end(): Uint8Array {
    this.#set.assertWhole();
    const out: Uint8Array[] = [];
    const rest = this.#splitter.end();
    if (rest !== undefined) this.#read(rest.bytes);
    this.#forget();
    this.#release(out);
    return Buffer.concat([...out, this.#masker.end()]);
  }

  #read(bytes: Uint8Array): void {
    const event = new HeldEvent(++this.#number, bytes);
    this.#events.push(event);
    this.#heldBytes += event.length;
    let begun = 0;
    for (const text of textsOf(bytes, this.#format)) {
      const known = this.#followers.get(text.pointer);
      if (known === undefined && (isEmpty(text) || ++begun > MAX_NEW_POINTERS)) continue;
      const follower = known ?? this.#begin();
      this.#followers.delete(text.pointer);
      this.#followers.set(text.pointer, follower);
      follower.add(text, event);
    }
    for (const [pointer, follower] of this.#followers) {
      const waits = follower.waitsFor !== Number.POSITIVE_INFINITY;
      const tooLong = waits && event.number - follower.seen >= MAX_EVENTS_WITHOUT;
      if (tooLong || (waits && this.#heldBytes > MAX_HELD_BYTES)) this.#give(pointer, follower);
    }
  }

  /** A follower for a pointer that is new, in the place of another where there are as many as may be. */
  #begin(): Follower {
    if (this.#followers.size >= MAX_POINTERS) {
      for (const [pointer, follower] of this.#followers) {
        this.#give(pointer, follower);
        break;
      }
    }
    return this.#idle.pop() ?? new Follower(this.#set, () => this.#across++);
  }

  /** Gives up a pointer. */
  #give(pointer: string, follower: Follower): void {
    follower.finish();
    this.#followers.delete(pointer);
    this.#idle.push(follower);
  }

  /** Nothing more is waited for. */
  #forget(): void {
    for (const [pointer, follower] of this.#followers) this.#give(pointer, follower);
  }

  #release(out: Uint8Array[]): void {
    let waitsFor = Number.POSITIVE_INFINITY;
    for (const follower of this.#followers.values()) waitsFor = Math.min(waitsFor, follower.waitsFor);
    let ready = 0;
    while (ready < this.#events.length && this.#events[ready]!.number < waitsFor) {
      const event = this.#events[ready++]!;
      this.#heldBytes -= event.length;
      this.#count += event.count;
      out.push(copied(this.#masker.push(event.bytes())));
    }
    this.#events.splice(0, ready);
  }
}

const isEmpty = ({ bytes, low, high }: EventText): boolean => bytes.length === 0 && low === undefined && high === undefined;

/** What a masker returns may lie in memory that it uses again. */
const copied = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);

/** How a body of this media type is cut into events; `undefined` where it is none of them. */
export function eventFormatOf(contentType: string | undefined): EventFormat | undefined {
  const type = (contentType ?? "").split(";", 1)[0]!.trim().toLowerCase();
  if (type === "text/event-stream") return "sse";
  return lineTypes.has(type) ? "lines" : undefined;
}

const lineTypes: ReadonlySet<string> = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/x-jsonlines",
  "application/jsonlines",
  "application/json-seq",
  "application/stream+json",
  "application/x-json-stream",
]);
