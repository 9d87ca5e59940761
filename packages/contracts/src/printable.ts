/**
 * Text of a caller's as it may stand in a sentence, a log line or a terminal: one line, no control, bidirectional,
 * zero-width or line-separator characters (each becomes `\u{…}`), no lone surrogate, at most `maxLength` characters.
 */
export function printable(text: string, maxLength = 120): string {
  const escaped = text
    .slice(0, maxLength * 2)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return escaped.length <= maxLength && text.length <= maxLength ? escaped : `${escaped.slice(0, maxLength)}…`;
}
