import { printable, type Refusal } from "@sallyport/contracts";
import { placeholderFor } from "@sallyport/masking";
import { blocked } from "../blocked.ts";
import type { Operation } from "../operation.ts";
import { type Found, findPlaceholders, type Place } from "./find.ts";

/**
 * Why a placeholder in the request may not be there: not at a place that the target's configuration fills in, or not one of this
 * target's own secret. Undefined where all are in place.
 */
export function misplaced(operation: Operation): Refusal | undefined {
  const { config, target } = operation;
  const wrong = findPlaceholders(operation).find((found) => !allowed(found, operation));
  if (wrong === undefined || config === undefined) return undefined;
  const why = config.placeholders?.some((place) => isPlace(place, wrong.place))
    ? `only placeholders of ${config.secret} are filled in there`
    : config.placeholders === undefined
      ? "this target fills in none"
      : "this target fills in none there";
  return blocked(
    "placeholder",
    target,
    `${placeName(wrong.place)} holds the placeholder ${printable(wrong.placeholders[0] ?? "", 120)}, and ${why}; put it where the target's configuration allows one, or leave it out.`,
  );
}

function allowed({ place, placeholders }: Found, { config }: Operation): boolean {
  if (!config?.placeholders?.some((one) => isPlace(one, place))) return false;
  // A field's name that the secret does not have is found missing when it is filled in.
  const own = placeholderFor(config.secret, "");
  return placeholders.every((text) => text.startsWith(own.slice(0, -1)) && /#[A-Za-z0-9._-]{1,64}\]$/.test(text));
}

type Configured = NonNullable<NonNullable<Operation["config"]>["placeholders"]>[number];

const isPlace = (one: Configured, place: Place): boolean =>
  place.in === "header"
    ? one.header?.toLowerCase() === place.name
    : place.in === "query"
      ? one.query !== undefined && one.query === place.name
      : place.in === "body" && one.body !== undefined && one.body === place.pointer;

export function placeName(place: Place): string {
  switch (place.in) {
    case "path":
      return "the path";
    case "header":
      return `the header ${printable(place.name, 64)}`;
    case "query":
      return "the query";
    case "body":
      return "the body";
  }
}
