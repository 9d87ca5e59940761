import { randomUUID } from "node:crypto";
import type { KeycloakServer } from "../servers.ts";

/** Everybody's password here. */
export const password = "correct-horse-of-a-test";

/** A service provider that Keycloak shall know. */
export interface ServiceProvider {
  readonly entityId: string;
  readonly acs: string;
  /** Keycloak's own names of a SAML client's settings, such as `saml.encrypt`. */
  readonly attributes?: Readonly<Record<string, string>>;
}

const sallyportClient = {
  clientId: "sallyport",
  publicClient: true,
  standardFlowEnabled: true,
  directAccessGrantsEnabled: true,
  redirectUris: ["http://127.0.0.1/callback"],
  attributes: { "oauth2.device.authorization.grant.enabled": "true", "pkce.code.challenge.method": "S256" },
  protocolMappers: [
    {
      name: "groups",
      protocol: "openid-connect",
      protocolMapper: "oidc-group-membership-mapper",
      config: { "claim.name": "groups", "full.path": "false", "id.token.claim": "true", "access.token.claim": "false" },
    },
    {
      name: "username",
      protocol: "openid-connect",
      protocolMapper: "oidc-usermodel-attribute-mapper",
      config: { "user.attribute": "username", "claim.name": "preferred_username", "id.token.claim": "true" },
    },
  ],
};

/** authn, as the one confidential client of an organisation. */
export interface AuthnClient {
  readonly clientId: string;
  readonly secret: string;
  readonly redirectUri: string;
}

const authnClient = ({ clientId, secret, redirectUri }: AuthnClient) => ({
  ...sallyportClient,
  clientId,
  secret,
  publicClient: false,
  directAccessGrantsEnabled: false,
  redirectUris: [redirectUri],
  attributes: { "pkce.code.challenge.method": "S256" },
});

const samlClient = ({ entityId, acs, attributes = {} }: ServiceProvider) => ({
  clientId: entityId,
  protocol: "saml",
  redirectUris: [acs],
  attributes: {
    saml_assertion_consumer_url_post: acs,
    "saml.assertion.signature": "true",
    "saml.server.signature": "false",
    "saml.signature.algorithm": "RSA_SHA256",
    "saml.client.signature": "false",
    "saml.authnstatement": "true",
    "saml.force.post.binding": "true",
    saml_force_name_id_format: "true",
    saml_name_id_format: "username",
    ...attributes,
  },
  protocolMappers: [
    {
      name: "groups",
      protocol: "saml",
      protocolMapper: "saml-group-membership-mapper",
      config: { "attribute.name": "groups", "attribute.nameformat": "Basic", "full.path": "false", single: "true" },
    },
  ],
  // Else every role of the realm comes along.
  defaultClientScopes: [],
});

/** A realm with alice (release-team) and bob (release-approvers), the command line as a public client, authn as a confidential one, and SAML clients. @returns its issuer */
export async function makeRealm(
  { admin, address }: KeycloakServer,
  name: string,
  serviceProviders: readonly ServiceProvider[] = [],
  authns: readonly AuthnClient[] = [],
) {
  const person = (username: string, ...groups: string[]) => ({
    id: randomUUID(),
    username,
    enabled: true,
    email: `${username}@example.com`,
    emailVerified: true,
    firstName: username,
    lastName: "Example",
    groups: groups.map((group) => `/${group}`),
    credentials: [{ type: "password", value: password, temporary: false }],
  });
  await admin("POST", "/admin/realms", {
    realm: name,
    enabled: true,
    sslRequired: "none",
    groups: [{ name: "release-team" }, { name: "release-approvers" }],
    users: [person("alice", "release-team"), person("bob", "release-approvers")],
    clients: [sallyportClient, ...authns.map(authnClient), ...serviceProviders.map(samlClient)],
  });
  return `${address}/realms/${name}`;
}

interface Component {
  readonly id: string;
  readonly name: string;
}

/** Keycloak signs with a new key from now on; the old one still verifies. @returns how to withdraw the old one */
export async function rotateKey({ admin }: KeycloakServer, realm: string): Promise<() => Promise<void>> {
  const kind = "org.keycloak.keys.KeyProvider";
  const components = (await admin("GET", `/admin/realms/${realm}/components?type=${kind}`)) as (Component & { providerId: string })[];
  const [{ id: realmId }, old] = [
    (await admin("GET", `/admin/realms/${realm}`)) as { id: string },
    components.filter(({ providerId }) => providerId === "rsa-generated"),
  ];
  const config = { priority: ["500"], enabled: ["true"], active: ["true"], algorithm: ["RS256"], keySize: ["2048"] };
  const name = `rsa-${randomUUID()}`;
  await admin("POST", `/admin/realms/${realm}/components`, {
    name,
    providerId: "rsa-generated",
    providerType: kind,
    parentId: realmId,
    config,
  });
  return async () => {
    for (const { id } of old) await admin("DELETE", `/admin/realms/${realm}/components/${id}`);
  };
}
