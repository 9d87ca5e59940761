import { z } from "zod";
import { field, headerName } from "./inject-fields.ts";

const partsOf = (text: string) => [...text.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name as string);

const template = (known: readonly string[]) =>
  z
    .string()
    .regex(/^[\x20-\x7e\n]{1,512}$/, "must be printable ASCII")
    .superRefine((text, context) => {
      const unknown = partsOf(text).find((part) => !known.includes(part));
      if (unknown !== undefined || /[{}]/.test(text.replaceAll(/\{[^{}]*\}/g, "")))
        context.addIssue({ code: "custom", message: `may hold ${known.map((name) => `{${name}}`).join(", ")} and no other braces` });
    });

/** A signature over the request, made with the secret (HMAC, RFC 2104). */
export const hmac = z
  .strictObject({
    field,
    header: headerName.meta({ description: "The header that carries the signature" }),
    algorithm: z.enum(["sha256", "sha512", "sha1"]).default("sha256"),
    encoding: z.enum(["hex", "base64"]).default("hex"),
    template: template(["timestamp", "body", "bodyHash", "method", "path"])
      .default("{body}")
      .meta({ description: "The text that is signed; {path} has the query, {bodyHash} is SHA-256 in hex" }),
    format: template(["signature", "timestamp"])
      .refine((text) => partsOf(text).filter((part) => part === "signature").length === 1, "must hold {signature} once")
      .default("{signature}")
      .meta({ description: "The header's value, such as sha256={signature}" }),
    timestampHeader: headerName.optional(),
    timestampUnit: z.enum(["seconds", "milliseconds"]).default("seconds"),
  })
  .superRefine(({ template: text, format, timestampHeader, header }, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    const parts = partsOf(text);
    if (!parts.includes("body") && !parts.includes("bodyHash"))
      say("template", "must hold {body} or {bodyHash}: a signature that leaves the body out is good for any");
    const told = timestampHeader !== undefined || partsOf(format).includes("timestamp");
    if (parts.includes("timestamp") !== told)
      say("template", "must hold {timestamp} where it is sent (timestampHeader, or {timestamp} in format), and only there");
    if (timestampHeader?.toLowerCase() === header.toLowerCase()) say("timestampHeader", "must be another header than the signature's");
  });
