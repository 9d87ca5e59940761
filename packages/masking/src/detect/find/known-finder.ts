import { type Action, type Actions, type Finding, type Found, MAX_VALUE_BYTES } from "../finding.ts";
import type { TextWindow } from "../text-window.ts";
import { domainEnd, localStart, MAX_LOCAL_BYTES } from "./email.ts";
import type { Identifiers } from "./identifiers.ts";
import { JwtMatcher } from "./jwt.ts";
import type { KnownDetectors } from "./known-detectors.ts";
import type { NumberGroups } from "./number-groups.ts";
import { americanEnd, phoneEnd } from "./phone.ts";
import { keyContinues, keyStart, MAX_KEY_BYTES } from "./private-key.ts";
import { isWord, MORE, NONE, type Text, table, word } from "./text.ts";
import { runEnd, TokenMatcher } from "./token-matcher.ts";
import { awsSecretEnd, azureSecretEnd } from "./unmarked-secrets.ts";

/** A longer word is no number or identifier, so it is not waited for. */
const longestWord = 40;

/** What a byte may begin. */
const nothing = 0;
const aWord = 1;
const aMark = 2;
const kinds = table(/^\w$/).map((is, byte) =>
  is === 1 ? aWord : "\\+-(@%".includes(String.fromCharCode(byte)) && byte > 0 ? aMark : nothing,
);
const digitBit = 1;
const letterBit = 2;
const bits = table(/^\d$/).map((is, byte) => (is === 1 ? digitBit : word[byte] === 1 ? letterBit : 0));
const escapes = table(/^[abefnrtv"'\\/]$/);

interface Open {
  readonly finding: Finding;
  /** What it consists of; undefined for a private key. */
  readonly charset: Uint8Array | undefined;
  /** A dot at its end is not part of it. */
  readonly dotted: boolean;
}

/**
 * Looks for what the built-in detectors know. Each of them begins at a word's start or at a mark, and looks at a bounded number of
 * bytes from there; what is longer (a token, a key) is known by its beginning, and goes on for as long as it may. So time is linear.
 */
export class KnownFinder {
  readonly #actions: Actions;
  readonly #found: Found;
  readonly #numbers: NumberGroups | undefined;
  readonly #identifiers: Identifiers;
  readonly #tokens: TokenMatcher;
  readonly #jwt: JwtMatcher | undefined;
  readonly #awsSecret: boolean;
  readonly #azureSecret: boolean;
  /** Where the search goes on. */
  #next = 0;
  /** Where a word begins although a letter stands before: an escape's. */
  #fresh = -1;
  #open: Open | undefined;
  /** Where an address begins whose end has not come yet. */
  #address = Number.POSITIVE_INFINITY;

  constructor({ actions, numbers, identifiers, tokens }: KnownDetectors, found: Found) {
    this.#actions = actions;
    this.#found = found;
    this.#numbers = numbers;
    this.#identifiers = identifiers;
    this.#tokens = tokens;
    this.#jwt = actions.has("jwt") ? new JwtMatcher() : undefined;
    this.#awsSecret = actions.has("aws-secret");
    this.#azureSecret = actions.has("azure-secret");
  }

  /** Reports what is found. @returns the position before which nothing will be found any more */
  scan(window: TextWindow, final: boolean): number {
    const { bytes, base } = window;
    const text: Text = { bytes, end: window.length, final };
    let at = this.#next - base;
    this.#address = Number.POSITIVE_INFINITY;
    if (this.#open !== undefined) at = this.#goOn(this.#open, text, at, base);
    if (this.#open === undefined) at = this.#search(text, at, base);
    this.#next = base + at;
    return final ? this.#next : Math.min(this.#next, base + this.#mayBeLocal(text), this.#address);
  }

  #search(text: Text, from: number, base: number): number {
    const { bytes, end } = text;
    let at = from;
    while (at < end) {
      const kind = kinds[bytes[at]!]!;
      if (kind === nothing) {
        at++;
        continue;
      }
      const next = kind === aWord ? this.#word(text, at, base) : this.#mark(text, at, base);
      if (next === MORE) return at;
      at = next;
      if (this.#open !== undefined) {
        at = this.#goOn(this.#open, text, at, base);
        if (this.#open !== undefined) return at;
      }
    }
    return at;
  }

  /** @returns where to go on, or `MORE` */
  #word(text: Text, at: number, base: number): number {
    const { bytes, end, final } = text;
    let seen = 0;
    let stop = at;
    for (let bit = bits[bytes[stop]!]!; bit !== 0; bit = bits[bytes[stop]!]!) {
      seen |= bit;
      if (++stop >= end) break;
    }
    if (isWord(bytes[at - 1]) && this.#fresh !== base + at) return stop;
    const token = this.#tokens.match(text, at);
    if (token === MORE) return MORE;
    if (token !== NONE) {
      const { category, charset, max } = this.#tokens.token!;
      return this.#begin(
        category,
        text,
        at,
        token,
        base,
        max === undefined ? TokenMatcher.table(charset) : undefined,
        charset === "dotted",
      );
    }
    if (this.#jwt !== undefined && bytes[at] === 101) {
      const jwt = this.#jwt.match(text, at, base);
      if (jwt === MORE) return MORE;
      if (jwt !== NONE) return this.#begin("jwt", text, at, jwt, base, TokenMatcher.table("dotted"), true);
    }
    const open = stop >= end && !final;
    if (open) return stop - at <= longestWord ? MORE : stop;
    if (this.#awsSecret && (stop - at === longestWord || bytes[stop] === 43 || bytes[stop] === 47)) {
      const secret = awsSecretEnd(text, at);
      if (secret !== NONE) return secret === MORE ? MORE : this.#whole("aws-secret", text, at, secret, base);
    }
    if (bytes[stop] === 126 && this.#azureSecret) {
      const secret = azureSecretEnd(text, at, stop);
      if (secret !== NONE) return secret === MORE ? MORE : this.#whole("azure-secret", text, at, secret, base);
    }
    if (stop - at > longestWord) return stop;
    if (seen === digitBit && this.#numbers !== undefined) {
      const number = this.#numbers.match(text, at, stop);
      if (number === MORE) return MORE;
      if (number !== NONE) return this.#whole(this.#numbers.category, text, at, number, base, this.#numbers.digits);
    }
    if ((seen & digitBit) !== 0 || stop - at === 1) {
      const identifier = this.#identifiers.match(text, at, stop);
      if (identifier === MORE) return MORE;
      if (identifier !== NONE) return this.#whole(this.#identifiers.category, text, at, identifier, base, this.#identifiers.value);
    }
    return stop;
  }

  /** @returns where to go on, or `MORE` */
  #mark(text: Text, at: number, base: number): number {
    const { bytes, end, final } = text;
    let value = "";
    const told = (digits: string) => {
      value = digits;
    };
    let stop = NONE;
    const inside = isWord(bytes[at - 1]) && this.#fresh !== base + at;
    switch (bytes[at]) {
      case 92:
        if (at + 1 >= end) return final ? end : MORE;
        if (escapes[bytes[at + 1]!] !== 1) return at + 1;
        this.#fresh = base + at + 2;
        return at + 2;
      case 45:
        if (!this.#actions.has("private-key")) return at + 1;
        stop = keyStart(text, at);
        if (stop === MORE) return MORE;
        return stop === NONE ? at + 1 : this.#begin("private-key", text, at, stop, base, undefined, false, true);
      case 43:
        if (this.#actions.has("phone") && !inside) stop = phoneEnd(text, at, told);
        break;
      case 40:
        if (this.#actions.has("phone") && !inside) stop = americanEnd(text, at, told);
        break;
      default:
        return this.#actions.has("email") ? this.#email(text, at, base) : at + 1;
    }
    if (stop === MORE) return MORE;
    return stop === NONE ? at + 1 : this.#whole("phone", text, at, stop, base, value);
  }

  /** Around an `@`, or `%40` as it stands in an address (RFC 3986). */
  #email(text: Text, at: number, base: number): number {
    const { bytes, end, final } = text;
    let from = at + 1;
    if (bytes[at] === 37) {
      if (at + 2 >= end) return final ? at + 1 : MORE;
      if (bytes[at + 1] !== 52 || bytes[at + 2] !== 48) return at + 1;
      from = at + 3;
    }
    const start = localStart(text, at);
    if (start === NONE) return at + 1;
    const stop = domainEnd(text, from);
    if (stop === MORE) {
      this.#address = base + start;
      return MORE;
    }
    // Who signs in to a git server: git@github.com:acme/shop.
    const name = bytes.toString("latin1", start, at);
    if (stop === NONE || name === "git") return at + 1;
    const value = `${name}@${bytes.toString("latin1", from, stop)}`.toLowerCase();
    return this.#whole("email", text, start, stop, base, value);
  }

  #whole(category: string, { bytes }: Text, start: number, end: number, base: number, value?: string): number {
    const action = this.#actions.get(category) as Action;
    const hashed = action === "hash" ? (value ?? bytes.toString("latin1", start, end)) : "";
    this.#found({ start: base + start, end: base + end, category, action, done: true, value: hashed });
    return end;
  }

  #begin(
    category: string,
    text: Text,
    start: number,
    end: number,
    base: number,
    charset: Uint8Array | undefined,
    dotted: boolean,
    key = false,
  ): number {
    if (charset === undefined && !key) return this.#whole(category, text, start, end, base);
    const action = this.#actions.get(category) as Action;
    const value = action === "hash" ? text.bytes.toString("latin1", start, end) : "";
    const finding: Finding = { start: base + start, end: base + end, category, action, done: false, value };
    this.#found(finding);
    this.#open = { finding, charset, dotted };
    return end;
  }

  /** Follows what is open. @returns where it ends so far */
  #goOn({ finding, charset, dotted }: Open, text: Text, at: number, base: number): number {
    const { bytes, end, final } = text;
    let stop: number;
    if (charset === undefined) {
      const key = keyContinues(text, at);
      stop = key.end;
      finding.done = key.done || base + stop - finding.start > MAX_KEY_BYTES;
    } else {
      stop = runEnd(text, at, charset, end - at);
      finding.done = stop < end || final;
      if (dotted) while (stop > at && bytes[stop - 1] === 46) stop--;
    }
    if (finding.action === "hash" && finding.value.length < MAX_VALUE_BYTES) finding.value += bytes.toString("latin1", at, stop);
    finding.end = base + stop;
    if (finding.done) this.#open = undefined;
    return stop;
  }

  /** Where an address may begin whose `@` has not come yet. */
  #mayBeLocal(text: Text): number {
    if (!this.#actions.has("email")) return text.end;
    const start = localStart(text, text.end);
    return start === NONE ? text.end : Math.max(start, text.end - MAX_LOCAL_BYTES);
  }
}
