import { Refusal } from "@sallyport/contracts";
import { actionNamed, type Ceiling, ceilingOf } from "@sallyport/identity";
import { invalid } from "./form.ts";

/** RFC 9396 §5. */
const bad = (sentence: string) => invalid(sentence, "invalid_authorization_details");

const members: ReadonlySet<string> = new Set(["type", "actions", "secrets", "targets"]);

/** A ceiling from `authorization_details` (RFC 9396 §2). A type, member or action that is not known is refused (§5), not passed over. */
export function ceilingFromDetails(text: string): Ceiling {
  const details = parse(text);
  return ceilingFrom(
    details.map((detail) => {
      if (detail.type !== "sallyport" || Object.keys(detail).some((name) => !members.has(name))) {
        throw bad("Each of the authorization_details must be of type sallyport, with actions, secrets and targets.");
      }
      return { actions: strings(detail.actions).map(action), secrets: strings(detail.secrets), targets: strings(detail.targets) };
    }),
  );
}

function ceilingFrom(entries: Parameters<typeof ceilingOf>[0]): Ceiling {
  try {
    return ceilingOf(entries);
  } catch (error) {
    throw error instanceof Refusal ? bad(error.message) : error;
  }
}

function parse(text: string): Record<string, unknown>[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad("The authorization_details are not JSON.");
  }
  if (!Array.isArray(value) || !value.every((detail) => typeof detail === "object" && detail !== null && !Array.isArray(detail))) {
    throw bad("The authorization_details must be a list of objects.");
  }
  return value;
}

function action(name: string) {
  const found = actionNamed(name);
  if (found === undefined) throw bad("The authorization_details name an action that does not exist.");
  return found;
}

function strings(value: unknown): string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
    throw bad("actions, secrets and targets must be lists of names.");
  }
  return value;
}
