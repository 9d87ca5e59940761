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

export type FileStore = z.output<ReturnType<typeof fileStore>>;
export type OpenbaoStore = z.output<ReturnType<typeof openbaoStore>>;
export type Secret = z.output<typeof secrets>[string];
