import { METHODS } from "node:http";
import { isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { didYouMean } from "./did-you-mean.ts";

/** `host:port`; an IPv6 host stands in brackets. Port 0 lets the system choose. */
export const address = z
  .string()
  .transform((text, context) => parseAddress(text) ?? fail(context, "must be host:port, such as 127.0.0.1:7443 or [::1]:7443"))
  .meta({ description: "host:port" });

export interface Address {
  readonly host: string;
  readonly port: number;
}

function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65535 ? undefined : { host, port };
}

/** `host:port` again; IPv6 in brackets. */
export const formatAddress = ({ host, port }: Address): string => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);

/** A file or folder; relative ones start at the configuration file's folder. */
export const pathIn = (folder: string) =>
  z
    .string()
    .min(1)
    .transform((path) => resolve(folder, path));

/** Where a secret that Sallyport itself needs is found: `env:NAME` or `file:PATH`. Never the secret itself. */
export const referenceIn = (folder: string) =>
  z
    .string()
    .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/, "must be a reference, env:NAME or file:PATH: the configuration itself holds no secret")
    .transform((text) => (text.startsWith("file:") && !isAbsolute(text.slice(5)) ? `file:${resolve(folder, text.slice(5))}` : text));

const range = { error: "must be an address range, such as 10.0.0.0/8 or fd00::/8" };

/** Address ranges that the guarded dialler may reach beside public ones. */
export const network = z
  .array(z.union([z.cidrv4(range), z.cidrv6(range)], range))
  .default([])
  .meta({ description: "Ranges beyond public addresses that may be dialled, such as 127.0.0.0/8" });

/** The provider's part of every principal's id. */
export const providerName = z.string().regex(/^[a-z0-9-]{1,32}$/, "must be 1 to 32 lower-case letters, digits or -");

/** A secret's or target's name: segments of letters, digits, `.`, `_`, `-`, parted by `/`. */
export const resourceName = z
  .string()
  .max(200)
  .regex(
    /^(?!.*(^|\/)\.{1,2}(\/|$))[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/,
    "must be segments of letters, digits, '.', '_' or '-', parted by '/'",
  );

export const labelName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "must be lower-case letters, digits, '.', '_' or '-'");

/** An http(s) URL without credentials, query or fragment. */
/** Those that a request to a target can have. */
const methods = METHODS.filter((name) => /^[A-Z]+$/.test(name) && name !== "CONNECT" && name !== "TRACE");

/** A method that there is: one that is mistyped would allow, or forbid, nothing. @param more what may stand in its place */
export const httpMethod = (...more: string[]) => {
  const known = [...methods, ...more];
  return z.string().superRefine((name, context) => {
    if (!known.includes(name))
      context.addIssue({
        code: "custom",
        message: `must be an HTTP method in capitals, such as GET${didYouMean(name.toUpperCase(), known)}`,
      });
  });
};

export const httpUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol))
    return fail(context, "must be a URL, such as https://orders.internal");
  if (url.username !== "" || url.password !== "") return fail(context, "must not carry a user name or password");
  if (url.search !== "" || url.hash !== "") return fail(context, "must not have a query or fragment");
  return text;
});

export function fail(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: "custom", message });
  return z.NEVER;
}

/** Refuses anything but exactly one of the two keys. */
export function exactlyOne<T extends object>(keys: readonly (keyof T & string)[]) {
  return (value: T, context: z.RefinementCtx) => {
    if (keys.filter((key) => value[key] !== undefined).length === 1) return;
    context.addIssue({ code: "custom", message: `must have exactly one of ${keys.map((key) => `"${key}"`).join(", ")}` });
  };
}
