import { actionName, allActions } from "@sallyport/identity";
import type { EdgeRequest, EdgeResponse } from "@sallyport/service";

export const schemaPath = "/oauth/authorization-details.schema.json";

/** A name, a name that ends in a segment's wildcard, or all: as the credential's reader has it, but for Unicode's normal form. */
const name = {
  type: "string",
  minLength: 1,
  maxLength: 200,
  pattern:
    "^(?:\\*|(?!(?:.*/)?\\.{1,2}(?:/|$))[^*#\\\\/\\p{C}\\p{Z}\\p{Default_Ignorable_Code_Point}]+(?:/[^*#\\\\/\\p{C}\\p{Z}\\p{Default_Ignorable_Code_Point}]+)*(?:/\\*)?)$",
};

const names = (description: string) => ({ type: "array", minItems: 1, maxItems: 256, items: name, description });

/** The JSON Schema (2020-12) of `authorization_details` of the type `sallyport` (RFC 9396 §2): a credential's ceiling. */
export const authorizationDetailsSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Sallyport authorization details",
  description: "The most that a credential allows: every action of an entry with every secret at every target that it lists.",
  type: "array",
  minItems: 1,
  maxItems: 64,
  items: {
    type: "object",
    properties: {
      type: { const: "sallyport" },
      actions: { type: "array", minItems: 1, maxItems: 256, items: { enum: allActions.map((action) => actionName(action)) } },
      secrets: names("Exact names, names that end in /* at a segment's edge, or * for all"),
      targets: names("As secrets"),
    },
    required: ["type", "actions", "secrets", "targets"],
    additionalProperties: false,
  },
};

/** `GET` on {@link schemaPath}. */
export const schemaDocument = async (_request: EdgeRequest): Promise<EdgeResponse> => ({
  status: 200,
  headers: { "content-type": "application/schema+json", "cache-control": "public, max-age=3600" },
  body: JSON.stringify(authorizationDetailsSchema),
});
