import { printable, Refusal } from "@sallyport/contracts";
import type { DataFormat, DataHash, DataMasker, DataRules } from "@sallyport/masking/detect";
import { apparentFormat, declaredFormat, isWide } from "./data-format.ts";
import type { TargetData } from "./target-data.ts";

/** Looks for data in one answer, after values were masked in it: headers, body, trailers. */
export class AnswerData {
  readonly #target: TargetData;
  readonly #rules: DataRules;
  readonly #hash: DataHash;
  /** How many findings of each category there were. */
  readonly counts = new Map<string, number>();

  constructor(target: TargetData, rules: DataRules, rootSid: string) {
    this.#target = target;
    this.#rules = rules;
    this.#hash = target.hashOf(rootSid);
  }

  /** All findings together. */
  get count(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** @throws Refusal GUARDRAIL_BLOCKED */
  headers(headers: readonly [string, string][]): [string, string][] {
    return headers.map(([name, value]): [string, string] => {
      const masker = this.#masker("text", true);
      const bytes = this.#run(() => Buffer.concat([masker.push(Buffer.from(value, "latin1")), masker.end()]));
      this.#count(masker);
      return [name, masker.counts.size === 0 ? value : Buffer.from(bytes).toString("latin1")];
    });
  }

  /**
   * @param contentType of the answer; where it says nothing, the first bytes tell whether it is JSON
   * @throws Refusal GUARDRAIL_BLOCKED, RESPONSE_UNINSPECTABLE
   */
  async *body(pieces: AsyncIterable<Uint8Array>, contentType: string | undefined): AsyncGenerator<Uint8Array> {
    let masker: DataMasker | undefined;
    let start: Uint8Array = new Uint8Array();
    for await (const piece of pieces) {
      let bytes = piece;
      if (masker === undefined) {
        bytes = start.length === 0 ? piece : Buffer.concat([start, piece]);
        if (bytes.length > 0 && isWide(contentType)) throw unreadable(this.#target.name, "is in UTF-16 or UTF-32");
        const format = declaredFormat(contentType) ?? apparentFormat(bytes);
        if (format === "more") {
          start = bytes;
          continue;
        }
        masker = this.#masker(format);
      }
      const out = this.#run(() => (masker as DataMasker).push(bytes));
      if (out.length > 0) yield out;
    }
    if (masker === undefined) {
      if (start.length > 0) yield start;
      return;
    }
    const rest = this.#run(() => (masker as DataMasker).end());
    this.#count(masker);
    if (rest.length > 0) yield rest;
  }

  #masker(format: DataFormat, passOther = this.#target.passOther): DataMasker {
    if (format === "text" && this.#rules.fields.length > 0 && !passOther) throw unreadable(this.#target.name, "is no JSON");
    return new this.#target.detect.DataMasker(this.#rules, { format, hash: this.#hash, passOther });
  }

  #count(masker: DataMasker): void {
    for (const [category, count] of masker.counts) this.counts.set(category, (this.counts.get(category) ?? 0) + count);
  }

  #run<T>(look: () => T): T {
    const { DataRefused, DataUnreadable } = this.#target.detect;
    try {
      return look();
    } catch (error) {
      if (error instanceof DataUnreadable) throw unreadable(this.#target.name, "is no JSON");
      if (!(error instanceof DataRefused)) throw error;
      this.counts.set(error.category, (this.counts.get(error.category) ?? 0) + 1);
      const rule = `data-masking/${error.category}`;
      throw new Refusal(
        "GUARDRAIL_BLOCKED",
        `Rule "${rule}" at target "${printable(this.#target.name)}" keeps this answer back: it holds what looks like data of that category. The effect has happened; ask for an answer without it.`,
        { metadata: { rule, effect: "happened" } },
      );
    }
  }
}

const unreadable = (target: string, why: string) =>
  new Refusal(
    "RESPONSE_UNINSPECTABLE",
    `The answer of target "${printable(target)}" ${why}, so its data-masking rules cannot be applied; it was not passed on. The effect has happened.`,
    { metadata: { effect: "happened" } },
  );
