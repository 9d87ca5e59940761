import { categories, customPatternProblem, type DataRule, pathProblem, presets, strictness } from "@sallyport/masking/detect/settings";
import { z } from "zod";
import { didYouMean } from "./did-you-mean.ts";
import { exactlyOne, labelName } from "./fields.ts";

const sound = (problem: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = problem(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const detectors = [...Object.keys(presets), ...categories];
const detector = z.string().superRefine((name, context) => {
  if (!detectors.includes(name))
    context.addIssue({ code: "custom", message: `there is no detector or preset "${name}"${didYouMean(name, detectors)}` });
});

const rule = z
  .strictObject({
    detect: z.array(detector).min(1).optional().meta({ description: "Built-in detectors, or presets of them" }),
    fields: z
      .array(z.string().min(1).max(128))
      .min(1)
      .optional()
      .meta({ description: "Names of JSON members, at any depth; case, _ and - make no difference" }),
    paths: z.array(sound(pathProblem)).min(1).optional().meta({ description: "Places in JSON, such as $.items[*].email (RFC 9535)" }),
    pattern: sound(customPatternProblem).optional().meta({ description: "An RE2 pattern that says how long a match can be" }),
    as: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,31}$/, "must be up to 32 lower-case letters, digits or '-'")
      .optional()
      .meta({ description: "The category of what fields, paths and a pattern find" }),
    do: z.enum(strictness as [string, ...string[]]).meta({ description: "What becomes of it" }),
    anywhere: z.boolean().optional().meta({ description: "Numbers count without a word beside them that tells what they are" }),
  })
  .superRefine(exactlyOne(["detect", "fields", "paths", "pattern"]))
  .superRefine(({ detect, as: category, anywhere }, context) => {
    if (detect !== undefined && category !== undefined)
      context.addIssue({ code: "custom", path: ["as"], message: "is not for detect: detectors name their categories themselves" });
    if (detect === undefined && category === undefined)
      context.addIssue({
        code: "custom",
        path: ["as"],
        message: "is missing: records and placeholders name the category of what was found",
      });
    if (detect === undefined && anywhere !== undefined)
      context.addIssue({ code: "custom", path: ["anywhere"], message: "is for detect only" });
  })
  .transform((settings): DataRule => settings as DataRule);

/** Data-masking rules by the name of their set; targets name the sets. */
export const dataMasking = z
  .record(labelName, z.array(rule).min(1))
  .default({})
  .meta({ description: "Sets of rules for data beside secrets; targets name them" });

const sets = z.array(labelName).min(1).optional();

/** Which sets hold for a target. */
export const targetDataMasking = z
  .strictObject({
    responses: sets.meta({ description: "Rule sets for what comes back" }),
    requests: sets.meta({ description: "Rule sets for what an agent sends; all their rules say refuse" }),
    hash: z
      .enum(["tree", "installation"])
      .default("tree")
      .meta({ description: "Where equal values have equal hashes: within a tree of agents, or everywhere" }),
    otherBodies: z
      .enum(["refuse", "pass"])
      .default("refuse")
      .meta({ description: "Where fields or paths are named: what becomes of a body that is no JSON" }),
  })
  .refine(({ responses, requests }) => responses !== undefined || requests !== undefined, "must have responses or requests");
