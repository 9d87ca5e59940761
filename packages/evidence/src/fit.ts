/**
 * JSON text on one line that a terminal, a log viewer or a line splitter cannot be driven by, within a size.
 *
 * JSON.stringify escapes the C0 controls; this also escapes DEL, the C1 controls, U+2028, U+2029, and every format character
 * (bidirectional overrides, zero-width characters, tags), and replaces lone surrogates by U+FFFD, so that the text survives
 * UTF-8 and reads the same after a round trip.
 */
export function safeJson(value: unknown): string {
  const plain = JSON.stringify(value);
  // JSON.stringify writes a lone surrogate as `\ud…`; only then is each string looked at.
  const text = plain.includes("\\ud") ? JSON.stringify(value, wellFormed) : plain;
  return beyondAscii.test(text) && risky.test(text) ? text.replace(riskyAll, escapeUnits) : text;
}

const wellFormed = (_key: string, inner: unknown): unknown => {
  if (typeof inner === "string") return inner.toWellFormed();
  return isPlain(inner) ? Object.fromEntries(Object.entries(inner).map(([key, each]) => [key.toWellFormed(), each])) : inner;
};

const isPlain = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);

const beyondAscii = /[^ -~]/;
const risky = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/u;
const riskyAll = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

function escapeUnits(character: string): string {
  let escaped = "";
  for (let at = 0; at < character.length; at++) escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  return escaped;
}

/** Longest string and longest list or object in each attempt, and whether the chain may be shortened too. */
const attempts = [
  { text: 8192, items: 1024, chain: false },
  { text: 2048, items: 256, chain: false },
  { text: 512, items: 64, chain: false },
  { text: 128, items: 32, chain: false },
  { text: 64, items: 16, chain: true },
  { text: 32, items: 8, chain: true },
] as const;

/**
 * The value as {@link safeJson} in at most `maxBytes` bytes. Where it is larger, long texts and lists are shortened, the
 * chain last of all, and OCSF's `metadata.is_truncated` says so.
 */
export function fitJson(value: Record<string, unknown>, maxBytes: number): string {
  const whole = safeJson(value);
  // No character of a string takes more than three bytes.
  if (whole.length * 3 <= maxBytes || Buffer.byteLength(whole) <= maxBytes) return whole;
  for (const attempt of attempts) {
    const reduced = safeJson(markReduced(shorten(value, attempt) as Record<string, unknown>));
    if (Buffer.byteLength(reduced) <= maxBytes) return reduced;
  }
  return safeJson(markReduced(shorten(bare(value), attempts[5]) as Record<string, unknown>));
}

function shorten(value: unknown, attempt: (typeof attempts)[number], depth = 0): unknown {
  if (typeof value === "string") return value.length <= attempt.text ? value : `${value.slice(0, attempt.text).toWellFormed()}…`;
  if (Array.isArray(value)) return value.slice(0, attempt.items).map((item) => shorten(item, attempt, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, depth === 0 ? undefined : attempt.items + 16)
      .map(([key, inner]) => [
        key.length <= attempt.text ? key : `${key.slice(0, attempt.text).toWellFormed()}…`,
        key === "delegation" && !attempt.chain ? inner : shorten(inner, attempt, depth + 1),
      ]),
  );
}

const markReduced = (value: Record<string, unknown>) => ({ ...value, metadata: { ...(value.metadata as object), is_truncated: true } });

/** What stays when nothing else fits: everything but the free-form details. */
function bare(value: Record<string, unknown>): Record<string, unknown> {
  const unmapped = (value.unmapped ?? {}) as Record<string, Record<string, unknown>>;
  const { details: _details, ...sallyport } = unmapped.sallyport ?? {};
  return { ...value, unmapped: { ...unmapped, sallyport } };
}
