import { MIN_PATTERN_BYTES } from "./automaton.ts";
import { BACKSPACE, isSkipped } from "./letters.ts";

/** What every placeholder begins with. */
export const PLACEHOLDER_START = "[sallyport:";

/** Values that are no secret, or that stand in so much text that masking them would blank it. Compared without case. */
const common: ReadonlySet<string> = new Set(
  `password password1 password12 password123 passw0rd p@ssw0rd p@ssword qwertyuiop qwerty123 1q2w3e4r 12345678 123456789 1234567890
  0123456789 987654321 87654321 abcd1234 abc12345 abcdefgh abcdefghij iloveyou changeme changeit letmein1 welcome1 sunshine princess
  football baseball superman trustno1 username administrator admin123 postgres localhost undefined anonymous production development
  staging-env bearer-token authorization content-type application application/json text/plain text/html http://localhost
  https://localhost 127.0.0.1 http:// https:// [object example.com credentials`
    .split(/\s+/u)
    .concat("[object object]", "secret123", "mysecret", "my-secret", "test1234", "testtest", "00000000-0000-0000-0000-000000000000"),
);

/** The value as the automaton knows it: without line breaks, NUL and backspace, which may stand anywhere in what is masked. */
export const letters = (value: Uint8Array): Uint8Array => value.filter((byte) => !isSkipped(byte) && byte !== BACKSPACE);

/**
 * Why `value` cannot be masked, as a sentence for whoever registers it; `undefined` when it can. Such a value would be found in text
 * that has nothing to do with it (RFC 9110 has no rule for this; the bound of 8 bytes is ours), so it may be used only where
 * nothing comes back to an agent.
 */
export function refusalFor(value: Uint8Array): string | undefined {
  const counted = letters(value);
  if (counted.length < MIN_PATTERN_BYTES) {
    return `A value of ${value.length} bytes cannot be masked: it needs at least ${MIN_PATTERN_BYTES} bytes besides line breaks. Use a longer value, or use it only where nothing comes back to the agent.`;
  }
  const text = Buffer.from(value).toString("latin1").trim();
  if (text.length === 0) return "A value of white space only cannot be masked: it would blank ordinary text. Use a longer, random value.";
  if (counted.every((byte) => byte === counted[0])) {
    return "A value that repeats one character cannot be masked: it would blank ordinary text. Use a longer, random value.";
  }
  if (/^(?:[{}[\]:,"\s]|true|false|null)*$/u.test(text)) {
    return "A value of JSON's punctuation and keywords only cannot be masked: it would blank ordinary text. Use a longer, random value.";
  }
  if (common.has(text.toLowerCase())) {
    return "A value that stands in a list of common words and passwords cannot be masked: it would blank ordinary text. Use a longer, random value.";
  }
  const inPlaceholder = PLACEHOLDER_START.includes(text) || text.includes(PLACEHOLDER_START);
  if (inPlaceholder)
    return "A value that is part of a placeholder cannot be masked: the placeholder itself would be masked again. Use another value.";
  return undefined;
}

const unsafe = /[^A-Za-z0-9[\]:/#._@ ,;!()-]/gu;

/**
 * The placeholder of one field of a secret: `[sallyport:prod/orders/api#token]`. Characters that are special in JSON, HTML, a header
 * or a percent-encoding become `_`, so that the placeholder can stand wherever a value stood.
 */
export const placeholderFor = (secret: string, field: string): string =>
  `${PLACEHOLDER_START}${`${secret}#${field}`.replaceAll(unsafe, "_")}]`;

/** Whether text can stand as a placeholder: printable ASCII without what JSON, HTML or a percent-encoding treats specially. */
export const isPlaceholder = (text: string): boolean => text.length > 0 && text.length <= 512 && text.replaceAll(unsafe, "") === text;
