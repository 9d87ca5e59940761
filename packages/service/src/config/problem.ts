import { printable } from "@sallyport/contracts";
import type { z } from "zod";
import { didYouMean } from "./did-you-mean.ts";
import { settingsAt } from "./json-schema.ts";

export interface Problem {
  readonly path: readonly PropertyKey[];
  /** The key that is wrong, where not its value is. */
  readonly key?: string;
  readonly message: string;
}

/** zod's issues in words that name the setting and what was meant. */
export const problemsOf = (error: z.ZodError): Problem[] => error.issues.flatMap(describe);

function describe(issue: z.core.$ZodIssue): Problem[] {
  const { path } = issue;
  const name = path.join(".");
  const say = (message: string): Problem => ({ path, message: name === "" ? message : `${printable(name)}: ${message}` });
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path,
        key,
        message: `${printable(name === "" ? key : `${name}.${key}`)}: there is no such setting${didYouMean(key, settingsAt(path))}`,
      }));
    case "invalid_union":
      return issue.discriminator === undefined ? meantBy(issue) : [unknownKind(issue, say)];
    case "invalid_key":
      return [
        {
          path: path.slice(0, -1),
          key: String(path.at(-1)),
          message: `${printable(name)}: the name ${issue.issues[0]?.message ?? "is invalid"}`,
        },
      ];
    case "invalid_value":
      return [say(issue.values.length === 1 ? issue.message : `must be ${oneOf(issue.values)}${suggest(issue.input, issue.values)}`)];
    case "invalid_type":
      return [say(issue.input === undefined ? "is missing" : `must be ${article(issue.expected)}`)];
    case "too_small":
      return [say(issue.origin === "array" || issue.origin === "string" ? "must not be empty" : `must be at least ${issue.minimum}`)];
    case "too_big":
      return [say(`must be at most ${issue.maximum}${issue.origin === "string" ? " characters" : ""}`)];
    default:
      return [say(issue.message)];
  }
}

/** What is wrong with a value that may have several shapes: by the one that it comes nearest to. */
function meantBy({ errors, path }: z.core.$ZodIssueInvalidUnion): Problem[] {
  const distance = (issues: readonly z.core.$ZodIssue[]) =>
    issues.reduce((sum, { code, path: at, ...more }) => {
      if (code === "unrecognized_keys") return sum + 10 * ("keys" in more ? more.keys.length : 1);
      return sum + (at.length === 0 && (code === "invalid_type" || code === "invalid_value") ? 100 : 1);
    }, 0);
  const [nearest = []] = errors.toSorted((one, other) => distance(one) - distance(other));
  return nearest.flatMap((issue) => describe({ ...issue, path: [...path, ...issue.path] }));
}

function unknownKind(issue: z.core.$ZodIssueInvalidUnion, say: (message: string) => Problem): Problem {
  const { discriminator, path } = issue;
  if (discriminator === undefined) return say(issue.message);
  const known = settingsAt([...path.slice(0, -1), `?${discriminator}`]);
  const input = issue.input as Record<string, unknown> | undefined;
  const given = typeof input === "object" ? input?.[discriminator] : input;
  return given === undefined ? say(`is missing; must be ${oneOf(known)}`) : say(`must be ${oneOf(known)}${suggest(given, known)}`);
}

const oneOf = (values: readonly unknown[]) => values.map((value) => `"${String(value)}"`).join(" or ");

const suggest = (given: unknown, known: readonly unknown[]) => (typeof given === "string" ? didYouMean(given, known.map(String)) : "");

function article(type: string): string {
  const words: Record<string, string> = {
    object: "a mapping",
    record: "a mapping",
    array: "a list",
    string: "text",
    int: "a whole number",
    number: "a number",
    boolean: "true or false",
  };
  return words[type] ?? type;
}
