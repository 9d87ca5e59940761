import { printable } from "@sallyport/contracts";
import { couldBe } from "./names.ts";
import { Uninspectable } from "./uninspectable.ts";

/**
 * Name and value pairs of a query or a form (WHATWG URL, application/x-www-form-urlencoded), decoded once, in order. `;` parts
 * them too for some readers, so a name behind one counts as well.
 *
 * @param text without a leading `?`
 * @throws Uninspectable where an encoding is broken or is not UTF-8
 */
export function parseParameters(text: string): [string, string][] {
  if (text === "") return [];
  return text
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair): [string, string] => {
      const at = pair.indexOf("=");
      return [decode(at < 0 ? pair : pair.slice(0, at)), at < 0 ? "" : decode(pair.slice(at + 1))];
    });
}

function decode(text: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw new Uninspectable("has a parameter with a % that encodes nothing");
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new Uninspectable("has a parameter that is not UTF-8");
  }
}

/** Whether the parameters have this name in any way that some reader would take for it, behind a `;` too. */
export const hasParameter = (text: string, name: string): boolean =>
  parseParameters(text.replaceAll(/;|%3b/giu, "&")).some(([other]) => couldBe(other, name));

/**
 * The one value of a parameter, or none.
 * @throws Uninspectable where it is there twice, or under a name that some take for it
 */
export function parameter(pairs: readonly (readonly [string, string])[], name: string): string | undefined {
  const alike = pairs.filter(([other]) => couldBe(other, name));
  const [first] = alike;
  if (first === undefined) return undefined;
  if (alike.length > 1) throw new Uninspectable(`says ${printable(JSON.stringify(name), 60)} more than once`);
  if (first[0] !== name)
    throw new Uninspectable(`says ${printable(JSON.stringify(first[0]), 60)}, which some take for ${printable(JSON.stringify(name), 60)}`);
  return first[1];
}
