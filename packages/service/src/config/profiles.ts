/** What a vendor's tokens are like: settings that a provider of this profile has unless it says otherwise, and what it must say. */
export interface Profile {
  readonly issuer?: string;
  /** What an issuer's URL looks like. */
  readonly issuerForm?: RegExp;
  readonly algorithms: readonly string[];
  readonly kind: "person" | "service" | "pipeline";
  readonly subject: { readonly claim: string } | { readonly template: string };
  readonly groups?: readonly ({ readonly claim: string } | { readonly template: string })[];
  readonly owner?: { readonly claim: string };
  /** Always required, whatever else is. */
  readonly require?: Readonly<Record<string, string | boolean>>;
  /**
   * One of these must be among what the provider requires: anybody can have a token of this issuer for any audience, so that without
   * it everybody could sign in. `clients` stands for the setting of that name.
   */
  readonly pin?: readonly string[];
}

const guid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const google = "https://accounts.google.com";

export const profiles = {
  keycloak: {
    issuerForm: /\/realms\/[^/]+$/,
    algorithms: ["RS256"],
    kind: "person",
    subject: { claim: "sub" },
    groups: [{ claim: "groups" }],
    // Keycloak's access, refresh and logout tokens say another.
    require: { typ: "ID" },
  },
  entra: {
    // A tenant's own: `common`, `organizations` and `consumers` speak for everybody.
    issuerForm: new RegExp(`^https://login\\.microsoftonline\\.com/${guid}/v2\\.0$`),
    algorithms: ["RS256"],
    kind: "person",
    // `sub` differs from application to application, and the names can be given to somebody else.
    subject: { claim: "oid" },
    groups: [{ claim: "groups" }],
    require: { ver: "2.0" },
  },
  okta: { algorithms: ["RS256"], kind: "person", subject: { claim: "sub" }, groups: [{ claim: "groups" }] },
  google: {
    issuer: google,
    algorithms: ["RS256"],
    kind: "person",
    subject: { claim: "sub" },
    require: { email_verified: true },
    pin: ["hd", "email", "sub"],
  },
  kubernetes: {
    algorithms: ["RS256"],
    kind: "service",
    subject: { template: "{kubernetes.io.namespace}/{kubernetes.io.serviceaccount.name}" },
    groups: [{ template: "namespace:{kubernetes.io.namespace}" }],
  },
  "github-actions": {
    issuer: "https://token.actions.githubusercontent.com",
    algorithms: ["RS256"],
    kind: "pipeline",
    // `sub` is spelt as each repository's administrators like.
    subject: { template: "{repository}@{ref}" },
    groups: [{ template: "owner:{repository_owner}" }, { template: "repository:{repository}" }, { template: "environment:{environment}" }],
    pin: ["repository", "repository_id", "repository_owner", "repository_owner_id", "enterprise_id"],
  },
  "gitlab-ci": {
    issuer: "https://gitlab.com",
    algorithms: ["RS256"],
    kind: "pipeline",
    subject: { template: "{project_path}@{ref_type}/{ref}" },
    groups: [{ template: "namespace:{namespace_path}" }, { template: "project:{project_path}" }, { template: "environment:{environment}" }],
    pin: ["project_id", "project_path", "namespace_id", "namespace_path"],
  },
  aws: {
    issuerForm: new RegExp(`^https://${guid}\\.tokens\\.sts\\.global\\.api\\.aws$`),
    algorithms: ["ES384", "RS256"],
    kind: "service",
    subject: { claim: "sub" },
    groups: [{ template: "account:{https://sts.amazonaws.com/.aws_account}" }],
  },
  gcp: {
    issuer: google,
    algorithms: ["RS256"],
    kind: "service",
    subject: { claim: "email" },
    groups: [{ template: "project:{google.compute_engine.project_id}" }],
    require: { email_verified: true },
    pin: ["email", "sub", "google.compute_engine.project_id", "google.compute_engine.project_number"],
  },
  azure: {
    issuerForm: new RegExp(`^https://(login\\.microsoftonline\\.com/${guid}/v2\\.0|sts\\.windows\\.net/${guid}/)$`),
    algorithms: ["RS256"],
    kind: "service",
    subject: { claim: "oid" },
    groups: [{ claim: "roles" }],
    require: { idtyp: "app" },
    // Whatever runs in the tenant can have a token for an application that asks for no assignment.
    pin: ["oid", "azp", "appid", "roles", "clients"],
  },
  spiffe: { algorithms: ["ES256", "RS256"], kind: "service", subject: { claim: "sub" } },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof profiles;
export const profileNames = Object.keys(profiles) as [ProfileName, ...ProfileName[]];
