import { bodyConditions, hostProblem, parsePointer, patternProblem, presets, type Rule, templateProblem } from "@sallyport/guardrails";
import { z } from "zod";
import { didYouMean } from "./did-you-mean.ts";
import { exactlyOne, httpMethod } from "./fields.ts";

/** Text that a function of the guardrails' own finds nothing wrong with. */
const sound = (problem: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = problem(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const methods = z.array(httpMethod()).min(1);
const hosts = z.array(sound(hostProblem)).min(1);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const someOf = <T extends z.ZodType>(each: T) => z.array(each).min(1).optional();
const word = z.string().min(1).max(200);

const testShape = {
  equals: scalar.optional(),
  oneOf: someOf(scalar),
  matches: sound(patternProblem).optional().meta({ description: "An RE2 pattern that the whole text matches" }),
  hosts: hosts.optional().meta({ description: "A URL to one of these hosts; self is the target's own" }),
  otherHosts: hosts.optional().meta({ description: "A reference to any other host than these" }),
  min: z.number().optional(),
  max: z.number().optional(),
  maxLength: z.int().min(0).optional(),
  type: z.enum(["string", "number", "boolean", "null", "object", "array"]).optional(),
  keys: someOf(word).meta({ description: "The only members that the object may have" }),
  present: z.boolean().optional(),
  optional: z.boolean().optional().meta({ description: "In require: it may be missing" }),
};
const test = z.strictObject(testShape).superRefine((value, context) => {
  const tests = Object.entries(value).filter(([name, setting]) => name !== "optional" && setting !== undefined);
  if (tests.length === 0) context.addIssue({ code: "custom", message: "must say what the value must be, such as { equals: 1 }" });
  if (value.present === false && tests.length > 1)
    context.addIssue({ code: "custom", message: "must have nothing beside present: false, as there is nothing to test" });
});

const notEmpty = (value: object, context: z.RefinementCtx) => {
  if (Object.values(value).every((setting) => setting === undefined)) context.addIssue({ code: "custom", message: "must not be empty" });
};
const tests = z.record(word, test).superRefine(notEmpty);
const pointers = z
  .record(
    z.string().refine((text) => Array.isArray(parsePointer(text)), "must be a JSON Pointer such as /config/url or /items/*/id"),
    test,
  )
  .superRefine(notEmpty);

const conditions = z
  .strictObject({
    query: tests.optional(),
    headers: tests.optional(),
    contentType: someOf(
      z.string().regex(/^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/, "must be a media type in lower case, such as application/json"),
    ),
    fields: z.strictObject({ names: z.array(word).min(1), value: test }).optional(),
    json: pointers.optional(),
    form: tests.optional(),
    multipart: z
      .strictObject({
        fields: tests.optional(),
        files: z
          .strictObject({ types: someOf(word), name: test.optional(), maxCount: z.int().min(0).optional() })
          .superRefine(notEmpty)
          .optional(),
      })
      .superRefine(notEmpty)
      .optional(),
    graphql: z
      .strictObject({
        types: someOf(z.enum(["query", "mutation", "subscription"])),
        operations: someOf(word),
        rootFields: someOf(word),
        maxDepth: z.int().min(1).optional().meta({ description: "In require" }),
        deeperThan: z.int().min(1).optional().meta({ description: "In block" }),
      })
      .superRefine(notEmpty)
      .optional(),
    mcp: z
      .strictObject({ methods: someOf(word), tools: someOf(word), arguments: pointers.optional() })
      .superRefine(notEmpty)
      .optional(),
  })
  .superRefine(notEmpty)
  .superRefine((value, context) => {
    const read = bodyConditions.filter((kind) => value[kind] !== undefined);
    if (read.length > 1)
      context.addIssue({ code: "custom", message: `must read the body in one way, not as ${read.join(" and ")}; write two rules` });
  });

const own = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9/_-]{0,63}$/, "must be lower-case letters, digits, '/', '_' or '-'"),
    when: z
      .strictObject({ methods: methods.optional(), path: sound(templateProblem).optional() })
      .superRefine(notEmpty)
      .optional()
      .meta({ description: "The requests that it looks at; all where left out" }),
    block: z
      .union([z.literal("always"), conditions])
      .optional()
      .meta({ description: "What is blocked" }),
    require: conditions.optional().meta({ description: "What every such request must meet" }),
    because: z
      .string()
      .min(1)
      .max(300)
      .regex(/^[^\p{Cc}]*$/u, "must be one line")
      .meta({ description: "For whoever is blocked" }),
  })
  .superRefine(exactlyOne(["block", "require"]))
  .superRefine(({ block, require }, context) => {
    const say = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (typeof block === "object" && block.graphql?.maxDepth !== undefined)
      say(["block", "graphql", "maxDepth"], "is for require; write deeperThan");
    if (typeof block === "object" && block.multipart?.files?.maxCount !== undefined)
      say(["block", "multipart", "files", "maxCount"], "is for require");
    if (require?.graphql?.deeperThan !== undefined) say(["require", "graphql", "deeperThan"], "is for block; write maxDepth");
  });

const preset = z
  .strictObject({ preset: z.string() })
  .superRefine(({ preset: name }, context) => {
    if (!Object.hasOwn(presets, name))
      context.addIssue({
        code: "custom",
        path: ["preset"],
        message: `there is no preset "${name}"${didYouMean(name, Object.keys(presets))}`,
      });
  })
  .transform(({ preset: name }): readonly Rule[] => presets[name] ?? []);

/** Guardrail rules of a target, each preset as the rules that it stands for. */
export const rules = z
  .array(z.union([own.transform((rule): readonly Rule[] => [rule]), preset]))
  .min(1)
  .transform((entries): readonly Rule[] => entries.flat());
