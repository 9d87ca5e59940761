import { z } from "zod";
import { exactlyOne, httpUrl, labelName, network, pathIn, referenceIn } from "./fields.ts";

/** What every connection to a store has, whichever kind it is. */
const connection = {
  owner: z.string().min(1).max(200).optional().meta({ description: "Who answers for it: a person or a group, for those who look for one" }),
  categories: z.array(labelName).default([]).meta({ description: "Labels that every secret in it has beside its own" }),
  cacheSeconds: z
    .number()
    .min(0)
    .max(300)
    .default(0)
    .meta({ description: "How long a value that was fetched may be used again, in the broker's memory; 0 for never" }),
};

/** For stores that are reached over the network. */
const reached = (folder: string) => ({
  ca: pathIn(folder).optional().meta({ description: "PEM certificates to trust instead of the system's" }),
  network,
});

const fileStore = (folder: string) =>
  z.strictObject({
    kind: z.literal("file"),
    path: pathIn(folder).meta({ description: "The encrypted file" }),
    key: referenceIn(folder).meta({ description: "The 256-bit key, base64url" }),
    ...connection,
  });

const environmentStore = z.strictObject({
  kind: z.literal("environment"),
  prefix: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,62}_$/, "must be capitals, digits or _, and end in _, such as DEV_")
    .meta({ description: "What the names of variables begin with; a secret's path is the rest" }),
  ...connection,
});

const authMount = (name: string) => z.string().min(1).default(name).meta({ description: `Where the auth method is mounted` });

/** Where a Kubernetes pod finds its own service account's token. */
const podToken = "file:/var/run/secrets/kubernetes.io/serviceaccount/token";

/** How Sallyport signs in to an OpenBao: one of these. */
export const openbaoAuth = (folder: string) =>
  z
    .strictObject({
      approle: z.strictObject({ roleId: referenceIn(folder), secretId: referenceIn(folder), mount: authMount("approle") }).optional(),
      jwt: z
        .strictObject({ role: z.string().min(1), token: referenceIn(folder), mount: authMount("jwt") })
        .optional()
        .meta({ description: "A JWT that the platform gives it; read anew at each sign-in" }),
      kubernetes: z
        .strictObject({ role: z.string().min(1), token: referenceIn(folder).default(podToken), mount: authMount("kubernetes") })
        .optional(),
      token: referenceIn(folder).optional(),
    })
    .superRefine(exactlyOne(["approle", "jwt", "kubernetes", "token"]));

const openbaoStore = (folder: string) =>
  z.strictObject({
    kind: z.literal("openbao"),
    address: z
      .union([httpUrl, z.array(httpUrl).min(1).max(8)])
      .transform((addresses) => [addresses].flat())
      .meta({ description: "Its URL, or those of all its nodes: no other is ever followed to" }),
    namespace: z.string().min(1).optional(),
    mount: z.string().min(1).default("secret").meta({ description: "Where the KV engine is mounted" }),
    kv: z
      .union([z.literal(1), z.literal(2)])
      .default(2)
      .meta({ description: "The KV engine's version; 1 keeps no older values and cannot check and set" }),
    auth: openbaoAuth(folder),
    ...connection,
    ...reached(folder),
  });

const awsStore = (folder: string) =>
  z.strictObject({
    kind: z.literal("aws-secrets-manager"),
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "must be a region, such as eu-central-1"),
    endpoint: httpUrl.optional().meta({ description: "Another address than the region's public one, such as a VPC endpoint's" }),
    auth: z
      .strictObject({
        accessKey: z
          .strictObject({ id: referenceIn(folder), secret: referenceIn(folder), sessionToken: referenceIn(folder).optional() })
          .optional(),
        webIdentity: z
          .strictObject({
            roleArn: z.string().regex(/^arn:[a-z-]+:iam::\d{12}:role\/\S+$/, "must be a role's ARN"),
            token: referenceIn(folder),
            endpoint: httpUrl.optional().meta({ description: "Another address than the region's public one of STS" }),
          })
          .optional()
          .meta({ description: "A role that the broker's platform's OIDC token may assume (IRSA)" }),
      })
      .superRefine(exactlyOne(["accessKey", "webIdentity"])),
    ...connection,
    ...reached(folder),
  });

const kubernetesStore = (folder: string) =>
  z.strictObject({
    kind: z.literal("kubernetes"),
    address: httpUrl.default("https://kubernetes.default.svc").meta({ description: "The API server's URL" }),
    namespace: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be a namespace's name"),
    token: referenceIn(folder).default(podToken).meta({ description: "The service account's token; read anew as it is rotated" }),
    ...connection,
    ...reached(folder),
  });

const gcpStore = (folder: string) =>
  z.strictObject({
    kind: z.literal("gcp-secret-manager"),
    project: z.string().regex(/^[a-z0-9:.-]{1,64}$/, "must be a project's id or number"),
    endpoint: httpUrl.optional().meta({ description: "Another address than the public one" }),
    auth: z.strictObject({ serviceAccountKey: referenceIn(folder).meta({ description: "The JSON key of a service account" }) }),
    ...connection,
    ...reached(folder),
  });

const azureStore = (folder: string) =>
  z.strictObject({
    kind: z.literal("azure-key-vault"),
    address: httpUrl.meta({ description: "The vault's URL, such as https://orders.vault.azure.net" }),
    authority: httpUrl.default("https://login.microsoftonline.com").meta({ description: "Who issues tokens for it" }),
    auth: z
      .strictObject({
        tenantId: z.string().regex(/^[A-Za-z0-9.-]{1,128}$/, "must be a tenant's id or domain"),
        clientId: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, "must be an application's id"),
        clientSecret: referenceIn(folder).optional(),
        federatedToken: referenceIn(folder)
          .optional()
          .meta({ description: "The broker's platform's OIDC token; read anew at each sign-in" }),
      })
      .superRefine(exactlyOne(["clientSecret", "federatedToken"])),
    ...connection,
    ...reached(folder),
  });

/** Connections to the systems that keep values, by name. */
export const stores = (folder: string) =>
  z
    .record(
      labelName,
      z.discriminatedUnion("kind", [
        fileStore(folder),
        environmentStore,
        openbaoStore(folder),
        awsStore(folder),
        kubernetesStore(folder),
        gcpStore(folder),
        azureStore(folder),
      ]),
    )
    .default({});

/** What an adapter needs to know, without what every connection has. */
type Adapter<T> = Omit<T, keyof typeof connection>;

export type FileStore = Adapter<z.output<ReturnType<typeof fileStore>>>;
export type EnvironmentStore = Adapter<z.output<typeof environmentStore>>;
export type OpenbaoStore = Adapter<z.output<ReturnType<typeof openbaoStore>>>;
export type AwsStore = Adapter<z.output<ReturnType<typeof awsStore>>>;
export type KubernetesStore = Adapter<z.output<ReturnType<typeof kubernetesStore>>>;
export type GcpStore = Adapter<z.output<ReturnType<typeof gcpStore>>>;
export type AzureStore = Adapter<z.output<ReturnType<typeof azureStore>>>;
export type Store = z.output<ReturnType<typeof stores>>[string];
