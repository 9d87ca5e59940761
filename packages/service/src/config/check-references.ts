import type { DataRule } from "@sallyport/masking/detect/settings";
import type { z } from "zod";
import { didYouMean } from "./did-you-mean.ts";
import { type Inject, injectedFields } from "./inject.ts";

interface Named {
  stores: Record<string, unknown>;
  secrets: Record<string, { store: string; fields: string[] }>;
  targets: Record<string, { secret: string; inject?: Inject | undefined; dataMasking?: Sets | undefined }>;
  dataMasking: Record<string, DataRule[]>;
}

interface Sets {
  readonly responses?: string[] | undefined;
  readonly requests?: string[] | undefined;
}

/** What one part of the file says of another must exist there. */
export function checkReferences({ stores, secrets, targets, dataMasking }: Named, context: z.RefinementCtx): void {
  const miss = (path: (string | number)[], what: string, name: string, known: string[]) =>
    context.addIssue({ code: "custom", path, message: `there is no ${what} "${name}"${didYouMean(name, known)}` });

  for (const [name, secret] of Object.entries(secrets)) {
    if (!Object.hasOwn(stores, secret.store)) miss(["secrets", name, "store"], "store", secret.store, Object.keys(stores));
  }
  for (const [name, target] of Object.entries(targets)) {
    for (const way of ["responses", "requests"] as const)
      for (const [at, set] of (target.dataMasking?.[way] ?? []).entries()) {
        const path = ["targets", name, "dataMasking", way, at];
        if (!Object.hasOwn(dataMasking, set)) miss(path, "data-masking rule set", set, Object.keys(dataMasking));
        else if (way === "requests" && dataMasking[set]!.some((rule) => rule.do !== "refuse"))
          context.addIssue({
            code: "custom",
            path,
            message: `must be a set whose rules all say "do: refuse": what an agent sends is never changed on its way, and "${set}" would`,
          });
      }
    const secret = Object.hasOwn(secrets, target.secret) ? secrets[target.secret] : undefined;
    if (secret === undefined) {
      miss(["targets", name, "secret"], "secret", target.secret, Object.keys(secrets));
      continue;
    }
    for (const { path, field } of target.inject === undefined ? [] : injectedFields(target.inject))
      if (!secret.fields.includes(field)) miss(["targets", name, "inject", ...path], `field of ${target.secret}`, field, secret.fields);
  }
}
