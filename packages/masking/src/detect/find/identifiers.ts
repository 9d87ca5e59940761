import { ibanLength, isIban } from "../checks/iban.ts";
import { isEsDni, isFrNir, isItCodiceFiscale } from "../checks/national-ids.ts";
import type { Actions } from "../finding.ts";
import { beginsNumber, endsNumber, isDigit, MORE, NONE, type Text, word } from "./text.ts";

const longest = 34;
/** A DNI or NIE with its hyphens, at most. */
const dniBytes = 11;
const dni = /^(?:\d{8}-?[A-Z]|[XYZ]-?\d{7}-?[A-Z])(?!\w)/;

/** Looks for identifiers of letters and digits. */
export class Identifiers {
  readonly #iban: boolean;
  readonly #dni: boolean;
  readonly #fiscale: boolean;
  readonly #nir: boolean;
  category = "";
  value = "";

  constructor(actions: Actions) {
    this.#iban = actions.has("iban");
    this.#dni = actions.has("es-dni");
    this.#fiscale = actions.has("it-codice-fiscale");
    this.#nir = actions.has("fr-nir");
  }

  /** @param wordEnd where the word that begins here ends. @returns the identifier's end */
  match(text: Text, at: number, wordEnd: number): number {
    const { bytes } = text;
    const first = bytes[at]!;
    const length = wordEnd - at;
    if (
      this.#iban &&
      length >= 4 &&
      length <= longest &&
      isDigit(bytes[at + 2]) &&
      isDigit(bytes[at + 3]) &&
      !isDigit(first) &&
      !isDigit(bytes[at + 1])
    ) {
      const found = this.#ibanAt(text, at, wordEnd);
      if (found !== NONE) return found;
    }
    if (this.#dni && (isDigit(first) ? length === 8 || length === 9 : first >= 88 && first <= 90 && length <= 9)) {
      const found = this.#dniAt(text, at);
      if (found !== NONE) return found;
    }
    if (this.#fiscale && length === 16 && !isDigit(first)) return this.#whole("it-codice-fiscale", isItCodiceFiscale, text, at, wordEnd);
    if (this.#nir && length === 15 && isDigit(first) && !isDigit(bytes[at + 6]))
      return this.#whole("fr-nir", isCorsican, text, at, wordEnd);
    return NONE;
  }

  #whole(category: string, check: (text: string) => boolean, text: Text, at: number, end: number): number {
    const value = text.bytes.toString("latin1", at, end);
    return check(value) ? this.#found(category, value, end) : NONE;
  }

  #found(category: string, value: string, end: number): number {
    this.category = category;
    this.value = value;
    return end;
  }

  /** As one word in either case, or in groups of four (ISO 13616-1 §6). */
  #ibanAt({ bytes, end, final }: Text, at: number, wordEnd: number): number {
    const length = ibanLength(bytes.toString("latin1", at, at + 2).toUpperCase());
    if (length === undefined) return NONE;
    if (wordEnd - at === length) {
      const value = bytes.toString("latin1", at, wordEnd).toUpperCase();
      return isIban(value) ? this.#found("iban", value, wordEnd) : NONE;
    }
    if (wordEnd - at !== 4) return NONE;
    let value = bytes.toString("latin1", at, wordEnd);
    let next = wordEnd;
    while (value.length < length) {
      const group = Math.min(4, length - value.length);
      if (next + 1 + group >= end && !final) return MORE;
      if (bytes[next] !== 32) return NONE;
      value += bytes.toString("latin1", next + 1, next + 1 + group);
      next += 1 + group;
      if (next < end && word[bytes[next]!] === 1) return NONE;
    }
    return /^[A-Z0-9]+$/.test(value) && isIban(value) ? this.#found("iban", value, next) : NONE;
  }

  #dniAt(text: Text, at: number): number {
    const { bytes, end, final } = text;
    if (!beginsNumber(text, at)) return NONE;
    if (end - at <= dniBytes + 1 && !final) return MORE;
    const written = dni.exec(bytes.toString("latin1", at, Math.min(end, at + dniBytes + 1)))?.[0];
    const value = written?.replaceAll("-", "");
    if (written === undefined || value === undefined || !isEsDni(value)) return NONE;
    const whole = endsNumber(text, at + written.length);
    return whole < 0 ? whole : this.#found("es-dni", value, whole);
  }
}

const isCorsican = (text: string): boolean => /^\d{6}[AB]\d{8}$/.test(text) && isFrNir(text);
