import { z } from "zod";
import { labelName, resourceName } from "./fields.ts";

const secret = z.strictObject({
  store: z.string(),
  path: z.string().min(1).optional().meta({ description: "Where the store keeps it; the secret's own name if left out" }),
  fields: z.array(z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "must be letters, digits, '.', '_' or '-'")).min(1),
  categories: z.array(labelName).default([]).meta({ description: "Labels that policies speak of" }),
});

/** Secrets by name: where each lives and what policies may call it; never a value. */
export const secrets = z
  .record(resourceName, secret)
  .default({})
  .transform((all) => Object.fromEntries(Object.entries(all).map(([name, entry]) => [name, { ...entry, path: entry.path ?? name }])));

export type Secret = z.output<typeof secrets>[string];
