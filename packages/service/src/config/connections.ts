import { z } from "zod";
import { exactlyOne, httpUrl, labelName, network, pathIn, referenceIn, resourceName } from "./fields.ts";

const fileStore = (folder: string) =>
  z.strictObject({
    kind: z.literal("file"),
    path: pathIn(folder).meta({ description: "The encrypted file" }),
    key: referenceIn(folder).meta({ description: "The 256-bit key, base64url" }),
  });

const openbaoAuth = (folder: string) =>
  z
    .strictObject({
      approle: z.strictObject({ roleId: referenceIn(folder), secretId: referenceIn(folder) }).optional(),
      token: referenceIn(folder).optional(),
    })
    .superRefine(exactlyOne(["approle", "token"]));

const openbaoStore = (folder: string) =>
  z.strictObject({
    kind: z.literal("openbao"),
    address: httpUrl,
    namespace: z.string().min(1).optional(),
    mount: z.string().min(1).default("secret").meta({ description: "Where the KV v2 engine is mounted" }),
    auth: openbaoAuth(folder),
    ca: pathIn(folder).optional().meta({ description: "PEM certificates to trust instead of the system's" }),
    network,
  });

/** Connections to the systems that keep values, by name. */
export const stores = (folder: string) =>
  z.record(labelName, z.discriminatedUnion("kind", [fileStore(folder), openbaoStore(folder)])).default({});

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

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, "must be a header name")
  .refine((name) => !framing.has(name.toLowerCase()), "must not be a header that frames or routes the request");

const inject = z
  .strictObject({
    bearer: z.string().optional().meta({ description: "The field sent as Authorization: Bearer" }),
    header: z.strictObject({ name: headerName, field: z.string() }).optional(),
  })
  .superRefine(exactlyOne(["bearer", "header"]))
  .transform((value) => value as Inject);

/** How the value gets into the request: exactly one way. */
export type Inject = { bearer: string; header?: undefined } | { bearer?: undefined; header: { name: string; field: string } };

const operation = z.strictObject({
  method: z.string().regex(/^[A-Z]{1,16}$/, "must be an HTTP method in capitals"),
  path: z
    .string()
    .max(2048)
    .regex(
      /^(?!.*\/\.{1,2}(\/|$))(\/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})*|\/\{[a-zA-Z][a-zA-Z0-9_]*\})+$/,
      "must be a path such as /v1/orders/{id}: whole segments in braces, no query, no '..'",
    ),
});

const httpTarget = (folder: string) =>
  z.strictObject({
    kind: z.literal("http"),
    baseUrl: httpUrl.meta({ description: "Scheme, host and port that every call goes to, with an optional path in front" }),
    secret: resourceName,
    inject,
    allow: z.array(operation).min(1).meta({ description: "What may be called; all else is refused" }),
    network,
    ca: pathIn(folder).optional(),
    maxBodyBytes: z.int().min(1024).max(1_073_741_824).default(67_108_864).meta({ description: "Of a request's and of an answer's body" }),
    timeoutSeconds: z.number().min(0.1).max(600).default(30),
  });

/** Where secrets may be used, by name. */
export const targets = (folder: string) => z.record(resourceName, z.discriminatedUnion("kind", [httpTarget(folder)])).default({});

export type FileStore = z.output<ReturnType<typeof fileStore>>;
export type OpenbaoStore = z.output<ReturnType<typeof openbaoStore>>;
export type Secret = z.output<typeof secrets>[string];
export type HttpTarget = z.output<ReturnType<typeof httpTarget>>;
