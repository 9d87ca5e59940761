import { Automaton, MIN_PATTERN_BYTES, type Pattern } from "./automaton.ts";
import { isPlaceholder, letters, refusalFor } from "./registration.ts";
import { Grams } from "./scout/grams.ts";
import { Scout } from "./scout/scout.ts";

/** One value to mask, and what to show in its place. */
export interface MaskEntry {
  /** Printable ASCII, as `placeholderFor` makes it. */
  readonly placeholder: string;
  /** Read while compiling and not kept; the compiled set holds the same bytes in its tables. */
  readonly value: Uint8Array;
}

/** A value or placeholder that a mask set cannot hold. `message` is a sentence without the value. */
export class ValueRefused extends Error {
  override readonly name = "ValueRefused";
  readonly placeholder: string;

  constructor(placeholder: string, sentence: string) {
    super(sentence);
    this.placeholder = placeholder;
  }
}

/** Values compiled for searching: immutable, shared by any number of maskers. */
export class MaskSet {
  readonly automaton: Automaton | undefined;
  readonly placeholders: readonly string[];
  readonly #grams: Grams | undefined;
  #scout: Scout | undefined;
  /** Values of digits only, by entry: a JSON number may hold one. */
  readonly numbers: ReadonlyMap<string, number>;
  /** A partial match over more bytes than this is given up, whatever stands between its letters. */
  readonly maxSpan: number;

  #erased = false;

  private constructor(entries: readonly MaskEntry[]) {
    const patterns = entries.flatMap(({ value }, entry) => patternsOf(value).map((bytes): Pattern => ({ bytes, entry })));
    this.automaton = patterns.length === 0 ? undefined : new Automaton(patterns);
    this.#grams = this.automaton === undefined ? undefined : new Grams(patterns);
    this.placeholders = entries.map(({ placeholder }) => placeholder);
    this.numbers = new Map(
      entries.flatMap(({ value }, entry): [string, number][] => {
        const text = Buffer.from(value).toString("latin1").trim();
        return /^[0-9]+$/u.test(text) ? [[text, entry]] : [];
      }),
    );
    this.maxSpan = 1024 + 16 * (this.automaton?.longest ?? 0);
  }

  /**
   * Compiles `entries`. Of equal values the first entry's placeholder shows.
   * @throws ValueRefused for a value that `refusalFor` refuses, a placeholder that is not plain ASCII, or a value that a placeholder holds.
   */
  static compile(entries: readonly MaskEntry[]): MaskSet {
    for (const { placeholder, value } of entries) {
      const refusal = refusalFor(value);
      if (refusal !== undefined) throw new ValueRefused(placeholder, refusal);
      if (!isPlaceholder(placeholder)) {
        throw new ValueRefused(
          placeholder,
          "A placeholder is up to 512 letters, digits and simple punctuation; make it with placeholderFor.",
        );
      }
    }
    const texts = Buffer.from(entries.map(({ placeholder }) => placeholder).join("\n"), "latin1");
    for (const { placeholder, value } of entries) {
      if (patternsOf(value).some((pattern) => texts.includes(pattern))) {
        throw new ValueRefused(
          placeholder,
          "A value that is part of a placeholder cannot be masked: the placeholder itself would be masked again. Use another value.",
        );
      }
    }
    return new MaskSet(entries);
  }

  /** Finds the places where a value may begin. One for all streams: it keeps nothing from one look to the next. */
  get scout(): Scout {
    this.#scout ??= new Scout({ automaton: this.automaton!, grams: this.#grams! }, 0);
    return this.#scout;
  }

  /** Overwrites the values in the tables, once nothing can bring them back any more. Maskers of this set refuse to go on. */
  erase(): void {
    this.#erased = true;
    this.automaton?.erase();
    this.#grams?.erase();
    this.#scout?.erase();
    (this.numbers as Map<string, number>).clear();
  }

  /** @throws Error after `erase`: what came through then would not be masked. */
  assertWhole(): void {
    if (this.#erased) throw new Error("This mask set was erased, so nothing can be masked with it; compile it anew.");
  }
}

const pemBoundary = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/u;

/**
 * What is looked for: the value, each line of it that could be registered by itself (but not a key file's boundary lines, which are
 * the same in every key file), and where it has other characters than ASCII also its UTF-16 forms, which are those of
 * Latin-1 too. NUL is left out everywhere, so ASCII in UTF-16 needs no pattern of its own.
 */
function patternsOf(value: Uint8Array): Uint8Array[] {
  const whole = Buffer.from(value);
  const texts: Buffer[] = [whole];
  if (whole.includes("\n") || whole.includes("\r")) {
    for (const line of whole.toString("latin1").split(/[\r\n]+/u)) {
      const bytes = Buffer.from(line.trim(), "latin1");
      if (!pemBoundary.test(line.trim()) && refusalFor(bytes) === undefined) texts.push(bytes);
    }
  }
  const patterns = new Map<string, Uint8Array>();
  for (const text of texts) {
    for (const form of [text, ...quotedOf(text), ...utf16Of(text)]) {
      const pattern = letters(form);
      if (pattern.length >= MIN_PATTERN_BYTES) patterns.set(Buffer.from(pattern).toString("latin1"), pattern);
    }
  }
  return [...patterns.values()];
}

/** With its quotes as SQL, CSV and YAML write them inside quotes, and as a shell does. */
function quotedOf(text: Buffer): Buffer[] {
  const latin = text.toString("latin1");
  const forms = [latin.replaceAll("'", "''"), latin.replaceAll("'", "'\\''"), latin.replaceAll('"', '""')];
  return forms.filter((form) => form !== latin).map((form) => Buffer.from(form, "latin1"));
}

function utf16Of(text: Buffer): Buffer[] {
  if (text.every((byte) => byte < 0x80)) return [];
  const decoded = text.toString("utf8");
  if (!Buffer.from(decoded, "utf8").equals(text)) return [];
  const little = Buffer.from(decoded, "utf16le");
  return [little, Buffer.from(little).swap16()];
}
