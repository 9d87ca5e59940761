import { z } from "zod";
import { checkReferences } from "./check-references.ts";
import { secrets } from "./connections.ts";
import { dataMasking } from "./data-masking.ts";
import { evidence } from "./evidence.ts";
import { httpUrl, pathIn } from "./fields.ts";
import { embeddedListen, services } from "./listen.ts";
import { proxy } from "./proxy.ts";
import { checkSignIn } from "./sign-in.ts";
import { stores } from "./stores.ts";
import { targets } from "./targets.ts";
import { authn, trust } from "./trust.ts";

const trustDomain = z
  .string()
  .max(255)
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, "must be a domain name in lower case, such as example.internal");

const stateUrl = z
  .string()
  .regex(
    /^(sqlite|rediss?:\/\/.+|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/,
    "must be sqlite, redis://HOST:PORT, rediss://HOST:PORT or a reference to such a URL",
  )
  .refine(
    (text) => !/^rediss?:\/\/[^/]*@/.test(text),
    "must not carry a user name or password: give the whole URL as env:NAME or file:PATH",
  );

/** The shape of sallyport.yaml. `folder`: where relative paths start. */
export const configSchema = (folder: string) =>
  z
    .strictObject({
      version: z.literal(1, { error: "must be 1, the only version of this file there is" }),
      trustDomain: trustDomain.meta({ description: "Names the installation in SPIFFE ids" }),
      audience: httpUrl.optional().meta({ description: "What credentials and proofs are made for; https://<trustDomain> if left out" }),
      dataDir: pathIn(folder).prefault("./data").meta({ description: "Journals, evidence, keys, SQLite" }),
      state: stateUrl.default("sqlite"),
      evidence: evidence(folder),
      trust: trust(folder),
      authn: authn(folder),
      policies: pathIn(folder).prefault("./policies").meta({ description: "Folder of Cedar policies" }),
      stores: stores(folder),
      secrets,
      dataMasking,
      targets: targets(folder),
      proxy: proxy(folder),
      listen: embeddedListen,
      services,
      telemetry: z
        .strictObject({ otlp: httpUrl.optional().meta({ description: "OTLP/HTTP endpoint for traces, such as http://127.0.0.1:4318" }) })
        .prefault({}),
    })
    .superRefine(checkReferences)
    .superRefine(checkSignIn)
    .transform((config) => ({
      ...config,
      audience: config.audience ?? `https://${config.trustDomain}`,
      secrets: withCategoriesOfStores(config),
    }));

/** A secret has its store's categories beside its own, so that policy can speak of all that lies in one store. */
function withCategoriesOfStores<S extends { store: string; categories: string[] }>({
  stores,
  secrets,
}: {
  stores: Record<string, { categories: string[] }>;
  secrets: Record<string, S>;
}): Record<string, S> {
  const entries = Object.entries(secrets).map(([name, secret]) => {
    const inherited = Object.hasOwn(stores, secret.store) ? (stores[secret.store]?.categories ?? []) : [];
    return [name, { ...secret, categories: [...new Set([...secret.categories, ...inherited])] }] as const;
  });
  return Object.fromEntries(entries);
}

/** A valid configuration: paths absolute, defaults filled in, names that refer to something do. */
export type Config = z.output<ReturnType<typeof configSchema>>;
