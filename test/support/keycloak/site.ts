import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loopback } from "../../demo/configuration.ts";
import { freePorts } from "../../demo/free-port.ts";
import { embeddedSite, type Site } from "../../faults/site.ts";
import type { KeycloakServer } from "../servers.ts";
import { makeRealm } from "./realm.ts";

export interface KeycloakSite extends Site {
  readonly realm: string;
  /** The realm's. */
  readonly issuer: string;
  /** Where Sallyport's own pages are. */
  readonly pages: string;
}

const entityId = "https://sallyport.example/saml/kc-saml";

/** The release team's members may use the secret for reading orders and start agents that do, by whichever protocol they signed in. */
const rules = ["kc", "kc-saml"]
  .map(
    (provider) => `
@id("${provider}-release-team-reads-orders")
permit (
  principal in Group::"${provider}/release-team",
  action in [Action::"list", Action::"read", Action::"use", Action::"delegate"],
  resource == Secret::"prod/orders/read"
);
@id("${provider}-release-team-delegates")
permit (principal in Group::"${provider}/release-team", action == Action::"delegate", resource);
`,
  )
  .join("");

/** An installation whose people come from a realm of a real Keycloak: as `kc` by OIDC, as `kc-saml` by SAML. */
export async function keycloakSite(server: KeycloakServer, realm = `corp-${randomUUID()}`): Promise<KeycloakSite> {
  const [port] = await freePorts(1);
  const pages = `http://127.0.0.1:${port}`;
  const acs = `${pages}/saml/kc-saml/acs`;
  const authn = { clientId: "sallyport-authn", secret: randomUUID(), redirectUri: `${pages}/oauth/callback/kc` };
  const issuer = await makeRealm(server, realm, [{ entityId, acs }], [authn]);
  const site = await embeddedSite({
    configure: (config) => {
      writeFileSync(join(config.policies, "release-team.cedar"), rules);
      const clientSecret = join(dirname(config.policies), "authn-client-secret");
      writeFileSync(clientSecret, authn.secret);
      config.authn = { ...config.authn, signIn: { url: pages } };
      config.listen.edge = `127.0.0.1:${port}`;
      config.trust.saml = [
        {
          name: "kc-saml",
          metadata: `${issuer}/protocol/saml/descriptor`,
          idp: issuer,
          entityId,
          acs,
          spInitiated: true,
          idpInitiated: true,
          subject: { nameIdFormat: "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified" },
          groups: { attribute: "groups" },
          metadataSeconds: 5,
          network: loopback,
        },
      ];
      config.trust.oidc.push({
        name: "kc",
        issuer,
        audience: ["sallyport", authn.clientId],
        signIn: { clientId: authn.clientId, clientSecret: `file:${clientSecret}` },
        algorithms: ["RS256"],
        subject: { claim: "preferred_username" },
        groups: { claim: "groups" },
        keySeconds: 5,
        network: loopback,
      });
    },
  });
  return Object.assign(site, { realm, issuer, pages });
}
