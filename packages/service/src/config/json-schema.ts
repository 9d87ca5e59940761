import { z } from "zod";
import { configSchema } from "./config.ts";

interface Schema {
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  const?: unknown;
}

/** The published JSON Schema of sallyport.yaml, as an editor wants it: what may be written, before defaults. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema("/"), { io: "input", unrepresentable: "any" });
  return { title: "sallyport.yaml", ...schema };
}

/** The names that may stand at a place of the file; `?kind` as the last step lists the values of a discriminator there. */
export function settingsAt(path: readonly PropertyKey[]): string[] {
  const last = String(path.at(-1) ?? "");
  const steps = last.startsWith("?") ? path.slice(0, -1) : path;
  let schemas: Schema[] = [configJsonSchema() as Schema];
  for (const step of steps) schemas = schemas.flatMap(alternatives).flatMap((schema) => stepInto(schema, step));
  const found = schemas.flatMap(alternatives);
  if (last.startsWith("?"))
    return found.flatMap((schema) => String(schema.properties?.[last.slice(1)]?.const ?? [])).filter((text) => text !== "");
  return [...new Set(found.flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

const alternatives = (schema: Schema): Schema[] => [schema, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];

function stepInto(schema: Schema, step: PropertyKey): Schema[] {
  const property = schema.properties?.[String(step)];
  if (property !== undefined) return [property];
  if (typeof step === "number" && schema.items !== undefined) return [schema.items];
  return typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [];
}
