import { parsePointer } from "@sallyport/guardrails";
import { z } from "zod";

/** Headers that frame or route a request: a secret in one would change where it goes or what it is. */
const framing = new Set([
  "host",
  "content-length",
  "content-type",
  "transfer-encoding",
  "connection",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "keep-alive",
]);

export const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, "must be a header name")
  .refine((name) => !framing.has(name.toLowerCase()), "must not be a header that frames or routes the request");

/** The name of a field of the target's secret. */
export const field = z.string().min(1);

/** Text of the configuration's own that is sent. */
export const literal = z.string().regex(/^[^\p{Cc}]{1,1024}$/u, "must be text without control characters");

export const parameterName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[!-~]+$/, "must be printable ASCII");

export const cookieName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, "must be a cookie's name");

/** One place in a JSON body. */
export const bodyPointer = z
  .string()
  .refine((text) => Array.isArray(parsePointer(text)), "must be a JSON Pointer such as /auth/token")
  .refine((text) => text !== "" && !/(^|\/)\*(\/|$)/.test(text), "must name one place: no *, and not the whole document");
