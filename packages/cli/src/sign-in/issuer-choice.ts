import { existsSync } from "node:fs";
import { printable, Refusal } from "@sallyport/contracts";
import type { Command } from "commander";
import { collect } from "../input/collect.ts";

/** The OIDC issuer at which a person signs in, and as which public client. Nothing in it is secret. */
export interface IssuerChoice {
  readonly issuer: string;
  readonly clientId: string;
  /** Always with `openid`: only an ID token can be exchanged. */
  readonly scopes: readonly string[];
}

export interface IssuerOptions {
  readonly issuer?: string;
  readonly clientId?: string;
  readonly provider?: string;
  readonly scope: readonly string[];
  readonly config?: string;
}

export const withIssuerOptions = (command: Command): Command =>
  command
    .option("--provider <name>", "of the configuration's OIDC issuers for people, the one to sign in at; left out, the only one")
    .option("--issuer <url>", "instead: the issuer to sign in at")
    .option("--client-id <id>", "what the issuer knows this command line as: a public client; its ID tokens have it as their audience")
    .option("--scope <name>", "a scope to ask for beside openid; offline_access to be signed in again without being asked", collect, []);

/**
 * Where to sign in: as the options say, else as the profile did before, else at the configuration's issuer for people.
 * @param before what the profile remembers of the same installation
 * @throws Refusal INVALID_REQUEST that says what is missing
 */
export async function chooseIssuer(options: IssuerOptions, before: IssuerChoice | undefined): Promise<IssuerChoice> {
  const { issuer, clientId, scope } = options;
  const scopes = ["openid", ...scope.filter((name) => name !== "openid")];
  if (issuer !== undefined) {
    if (clientId === undefined) throw new Refusal("INVALID_REQUEST", "Say --client-id too: what the issuer knows this command line as.");
    return { issuer, clientId, scopes };
  }
  if (before !== undefined && options.provider === undefined) {
    return { issuer: before.issuer, clientId: clientId ?? before.clientId, scopes: scope.length > 0 ? scopes : before.scopes };
  }
  const provider = await configuredProvider(options);
  // OIDC Core §2: an ID token is made for the client that asked, so the audience that authn wants is this client's name.
  return { issuer: provider.issuer, clientId: clientId ?? (provider.audience[0] as string), scopes };
}

async function configuredProvider({ config: file = "sallyport.yaml", provider: name }: IssuerOptions) {
  if (!existsSync(file)) {
    throw new Refusal(
      "INVALID_REQUEST",
      "Say where you sign in: --issuer URL --client-id ID, or -c sallyport.yaml of an installation on this machine; or give an ID token with --id-token-stdin.",
    );
  }
  const { loadConfig } = await import("@sallyport/service");
  const people = (await loadConfig(file)).trust.oidc.filter(({ kind }) => kind === "person");
  const found = name === undefined ? people : people.filter((provider) => provider.name === name);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (people.length === 0)
    throw new Refusal(
      "INVALID_REQUEST",
      `${printable(file, 100)} has no OIDC issuer for people: sallyport connections add issuer connects one; or give --issuer URL --client-id ID, or --saml NAME.`,
    );
  const names = people.map((provider) => provider.name).join(", ");
  throw new Refusal(
    "INVALID_REQUEST",
    name === undefined
      ? `Say --provider: the issuers for people here are ${names}.`
      : `There is no issuer ${printable(name, 40)} for people here; there is: ${names}.`,
  );
}
