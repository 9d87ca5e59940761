import { z } from "zod";
import { exactlyOne, httpUrl, pathIn } from "./fields.ts";
import { bodyPointer, cookieName, field, headerName, literal, parameterName } from "./inject-fields.ts";
import { hmac } from "./inject-hmac.ts";

const basic = z
  .strictObject({
    user: literal
      .regex(/^[^:]+$/, "must be a user name without a colon")
      .optional()
      .meta({ description: "The user name, where it is no secret" }),
    userField: field.optional().meta({ description: "Or the field that holds it" }),
    password: field.meta({ description: "The field with the password" }),
  })
  .superRefine(exactlyOne(["user", "userField"]));

const sigv4 = z.strictObject({
  accessKeyId: field,
  secretAccessKey: field,
  sessionToken: field.optional(),
  service: z.string().regex(/^[a-z0-9-]{1,64}$/, "must be an AWS service's signing name, such as s3"),
  region: z.string().regex(/^[a-z0-9-]{1,64}$/, "must be an AWS region, such as eu-central-1"),
});

const oauth = (folder: string) =>
  z
    .strictObject({
      tokenUrl: httpUrl.meta({ description: "The token endpoint (RFC 6749 §3.2)" }),
      clientId: literal.optional(),
      clientIdField: field.optional(),
      clientSecret: field,
      refreshToken: field.optional().meta({ description: "Given: the refresh token grant; left out: client credentials" }),
      clientAuth: z.enum(["basic", "post"]).default("basic").meta({ description: "How the client shows its secret (RFC 6749 §2.3.1)" }),
      scope: literal.optional(),
      audience: literal.optional(),
      resource: literal.optional().meta({ description: "RFC 8707" }),
      ca: pathIn(folder).optional().meta({ description: "PEM certificates to trust at the token endpoint instead of the system's" }),
    })
    .superRefine(exactlyOne(["clientId", "clientIdField"]));

const githubApp = (folder: string) =>
  z.strictObject({
    appId: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "must be the app's id or client id, in quotes"),
    installationId: z.string().regex(/^[0-9]{1,20}$/, "must be the installation's number, in quotes"),
    privateKey: field.meta({ description: "The field with the app's private key, PEM" }),
    apiUrl: httpUrl.default("https://api.github.com"),
    as: z.enum(["bearer", "basic"]).default("bearer").meta({ description: "basic is what git over HTTPS wants" }),
    repositories: z.array(z.string().min(1).max(100)).min(1).optional().meta({ description: "Narrows the token to these" }),
    permissions: z
      .record(z.string().regex(/^[a-z_]{1,64}$/), z.enum(["read", "write", "admin"]))
      .optional()
      .meta({ description: "Narrows the token to these" }),
    ca: pathIn(folder).optional(),
  });

/** Every way in which a value gets into a request, by the key that names it. */
const kindsIn = (folder: string) => ({
  bearer: field.meta({ description: "The field sent as Authorization: Bearer (RFC 6750)" }),
  header: z.strictObject({ name: headerName, field }),
  basic: basic.meta({ description: "Authorization: Basic (RFC 7617)" }),
  query: z.strictObject({ name: parameterName, field }).meta({ description: "A query parameter" }),
  cookie: z.strictObject({ name: cookieName, field }).meta({ description: "A cookie" }),
  body: z.strictObject({ pointer: bodyPointer, field }).meta({ description: "A member of a JSON body, by JSON Pointer" }),
  form: z.strictObject({ name: parameterName, field }).meta({ description: "A field of a URL-encoded form" }),
  sigv4: sigv4.meta({ description: "AWS Signature Version 4" }),
  hmac: hmac.meta({ description: "A signature over the request, as webhooks carry it" }),
  oauth: oauth(folder).meta({ description: "An access token that the broker fetches and keeps" }),
  githubApp: githubApp(folder).meta({ description: "A GitHub App's installation token, which the broker fetches and keeps" }),
  clientCertificate: z
    .strictObject({ certificate: field, key: field })
    .meta({ description: "Mutual TLS: the fields with certificate and key, PEM" }),
});

type Schemas = ReturnType<typeof kindsIn>;
type Kinds = { [K in keyof Schemas]: z.output<Schemas[K]> };
export type InjectKind = keyof Kinds;
const injectKinds = Object.keys(kindsIn("/")) as InjectKind[];

/** How the value gets into the request: exactly one way. */
export type Inject = { [K in InjectKind]: Pick<Kinds, K> & { [Other in Exclude<InjectKind, K>]?: undefined } }[InjectKind];

export const inject = (folder: string) =>
  z
    .strictObject(kindsIn(folder))
    .partial()
    .superRefine(exactlyOne(injectKinds))
    .transform((value) => value as Inject);

/** A field of the secret that an injection reads, and where the configuration says so. */
export interface InjectedField {
  readonly path: readonly string[];
  readonly field: string;
  /** It names an account, and is no secret by itself. */
  readonly names: boolean;
}

/** The settings that hold a field's name, by kind; `true` where the field names an account. */
const fieldSettings: { readonly [K in InjectKind]: Readonly<Record<string, boolean>> } = {
  bearer: { "": false },
  header: { field: false },
  basic: { userField: true, password: false },
  query: { field: false },
  cookie: { field: false },
  body: { field: false },
  form: { field: false },
  sigv4: { accessKeyId: true, secretAccessKey: false, sessionToken: false },
  hmac: { field: false },
  oauth: { clientIdField: true, clientSecret: false, refreshToken: false },
  githubApp: { privateKey: false },
  clientCertificate: { certificate: false, key: false },
};

export function injectedFields(value: Inject): InjectedField[] {
  return injectKinds.flatMap((kind) => {
    const settings = value[kind] as string | Readonly<Record<string, unknown>> | undefined;
    if (settings === undefined) return [];
    return Object.entries(fieldSettings[kind]).flatMap(([setting, names]): InjectedField[] => {
      const found = typeof settings === "string" ? settings : settings[setting];
      return typeof found === "string" ? [{ path: setting === "" ? [kind] : [kind, setting], field: found, names }] : [];
    });
  });
}
