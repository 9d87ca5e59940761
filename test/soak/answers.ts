import { scanFor } from "@sallyport/masking";
import type { UseResult } from "@sallyport/sdk";
import { leaksIn } from "./leaks.ts";

/**
 * Everything that agents were answered, looked through for the canary: each answer at once for its usual spellings, and every
 * different one in the end by the slow scan that decodes all it can.
 */
export class Answers {
  readonly leaks: string[] = [];
  scanned = 0;
  readonly #canary: string;
  readonly #different = new Map<string, string>();

  constructor(canary: string) {
    this.#canary = canary;
  }

  /** @param path names the use, and is left out of what is compared: each has its own */
  answer(path: string, { status, headers, trailers }: UseResult, body: string): void {
    this.text(path, JSON.stringify([status, headers, trailers(), body]));
  }

  /** A refusal's sentence, or anything else that was told. @param source for a finding */
  text(source: string, text: string): void {
    this.scanned++;
    this.leaks.push(...leaksIn(Buffer.from(text), this.#canary).map((encoding) => `${source}: ${encoding}`));
    this.#different.set(text.replaceAll(/soak-\d+|\d+/g, "#"), text);
  }

  scanThoroughly(): void {
    for (const text of this.#different.values())
      this.leaks.push(...scanFor(this.#canary, Buffer.from(text)).map(({ encoding }) => `${encoding} in ${text.slice(0, 200)}`));
  }

  get different(): number {
    return this.#different.size;
  }
}
