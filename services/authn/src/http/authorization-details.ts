import { actionNamed, type Ceiling, ceilingOf } from "@sallyport/identity";
import { invalid } from "./form.ts";

const members: ReadonlySet<string> = new Set(["type", "actions", "secrets", "targets"]);

/** A ceiling from `authorization_details` (RFC 9396 §2). A type, member or action that is not known is refused (§5), not passed over. */
export function ceilingFromDetails(text: string): Ceiling {
  const details = parse(text);
  return ceilingOf(
    details.map((detail) => {
      if (detail.type !== "sallyport" || Object.keys(detail).some((name) => !members.has(name))) {
        throw invalid("Each of the authorization_details must be of type sallyport, with actions, secrets and targets.");
      }
      return { actions: strings(detail.actions).map(action), secrets: strings(detail.secrets), targets: strings(detail.targets) };
    }),
  );
}

function parse(text: string): Record<string, unknown>[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("The authorization_details are not JSON.");
  }
  if (!Array.isArray(value) || !value.every((detail) => typeof detail === "object" && detail !== null && !Array.isArray(detail))) {
    throw invalid("The authorization_details must be a list of objects.");
  }
  return value;
}

function action(name: string) {
  const found = actionNamed(name);
  if (found === undefined) throw invalid("The authorization_details name an action that does not exist.");
  return found;
}

function strings(value: unknown): string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
    throw invalid("actions, secrets and targets must be lists of names.");
  }
  return value;
}
