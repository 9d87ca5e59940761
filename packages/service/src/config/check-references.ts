import type { z } from "zod";
import { didYouMean } from "./did-you-mean.ts";
import { type Inject, injectedFields } from "./inject.ts";

interface Named {
  stores: Record<string, unknown>;
  secrets: Record<string, { store: string; fields: string[] }>;
  targets: Record<string, { secret: string; inject?: Inject | undefined }>;
}

/** What one part of the file says of another must exist there. */
export function checkReferences({ stores, secrets, targets }: Named, context: z.RefinementCtx): void {
  const miss = (path: string[], what: string, name: string, known: string[]) =>
    context.addIssue({ code: "custom", path, message: `there is no ${what} "${name}"${didYouMean(name, known)}` });

  for (const [name, secret] of Object.entries(secrets)) {
    if (!Object.hasOwn(stores, secret.store)) miss(["secrets", name, "store"], "store", secret.store, Object.keys(stores));
  }
  for (const [name, target] of Object.entries(targets)) {
    const secret = Object.hasOwn(secrets, target.secret) ? secrets[target.secret] : undefined;
    if (secret === undefined) {
      miss(["targets", name, "secret"], "secret", target.secret, Object.keys(secrets));
      continue;
    }
    for (const { path, field } of target.inject === undefined ? [] : injectedFields(target.inject))
      if (!secret.fields.includes(field)) miss(["targets", name, "inject", ...path], `field of ${target.secret}`, field, secret.fields);
  }
}
