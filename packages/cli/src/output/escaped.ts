import { stringify } from "yaml";

/** What could drive a terminal, hide, or turn the reading direction: all that `printable` escapes but line breaks and tabs. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** JSON in which everything invisible is escaped, so that it is as safe to look at as to parse. */
export const safeJson = (value: unknown, indent?: number): string =>
  escapeUnlessLineBreak(JSON.stringify(value, undefined, indent) ?? "null");

/** YAML, every text in double quotes with everything invisible escaped. */
export const safeYaml = (value: unknown): string =>
  escapeUnlessLineBreak(
    stringify(value, { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "QUOTE_DOUBLE", lineWidth: 0, aliasDuplicateObjects: false }),
  );

/** A target's text as a terminal may show it: line breaks and tabs stay. */
export const safeForTerminal = (text: string): string =>
  text
    .replace(/\r\n/g, "\n")
    .replace(unsafe, (character) =>
      character === "\n" || character === "\t" ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
    );

/** JSON's `\uXXXX`, which YAML's double quotes know too. Line breaks stand only between values, as both escape them within. */
const escapeUnlessLineBreak = (text: string): string =>
  text.replace(unsafe, (character) =>
    character === "\n"
      ? character
      : [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
  );
