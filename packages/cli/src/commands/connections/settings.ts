import { printable, Refusal } from "@sallyport/contracts";
import { parseDocument } from "yaml";

type Settings = { [name: string]: unknown };

const name = /^[a-zA-Z][a-zA-Z0-9]*(\.[a-zA-Z][a-zA-Z0-9]*)*$/;

/**
 * Settings as an argument gives them: `auth.jwt.role=broker`. A value is read as YAML reads one on a line, so that `kv=1` is a
 * number; a name that is given again makes a list. What the settings mean is checked with the whole configuration.
 *
 * @throws Refusal INVALID_REQUEST
 */
export function settingsOf(given: readonly string[]): Settings {
  const settings: Settings = Object.create(null);
  for (const text of given) {
    const at = text.indexOf("=");
    const path = text.slice(0, at);
    if (at < 1 || !name.test(path) || /(^|\.)(constructor|prototype)(\.|$)/.test(path))
      throw new Refusal("INVALID_REQUEST", `--set takes NAME=VALUE, such as auth.jwt.role=broker; ${printable(path || text, 60)} is none.`);
    place(settings, path.split("."), scalarOf(text.slice(at + 1)));
  }
  return settings;
}

function place(settings: Settings, [first = "", ...rest]: readonly string[], value: unknown): void {
  const there = settings[first];
  if (rest.length > 0) {
    const inner: Settings =
      typeof there === "object" && there !== null && !Array.isArray(there) ? (there as Settings) : Object.create(null);
    settings[first] = inner;
    place(inner, rest, value);
  } else settings[first] = there === undefined ? value : [there, value].flat();
}

/** Text that YAML would read as anything but a plain value stays the text it is. */
function scalarOf(text: string): unknown {
  const document = parseDocument(text);
  const value: unknown = document.errors.length === 0 ? document.toJS() : text;
  return typeof value === "number" || typeof value === "boolean" ? value : text;
}
