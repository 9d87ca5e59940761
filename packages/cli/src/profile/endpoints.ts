import { existsSync, readFileSync } from "node:fs";
import { printable, Refusal } from "@sallyport/contracts";
import { type Endpoints, parseEndpoints } from "@sallyport/sdk";
import type { Command } from "commander";

export interface EndpointOptions {
  readonly authn?: string;
  readonly broker?: string;
  readonly audience?: string;
  readonly ca?: string;
  readonly config?: string;
}

export const withEndpointOptions = (command: Command): Command =>
  command
    .option("--authn <host:port>", "authn's listener for agents and people")
    .option("--broker <host:port>", "the broker's; left out, the same as authn's")
    .option("--audience <url>", "what the installation calls itself, such as https://example.internal")
    .option("--ca <file>", "the CA of the listeners' certificates, PEM; left out, the system's")
    .option("-c, --config <file>", "instead of these: the configuration of an installation on this machine; left out, ./sallyport.yaml");

/** Whether the options say where, or a configuration in this folder does; if not, a profile may know. */
export const isWhereNamed = ({ authn, broker, audience, config }: EndpointOptions): boolean =>
  [authn, broker, audience, config].some((option) => option !== undefined) || existsSync("sallyport.yaml");

/** Where to sign in. @throws Refusal INVALID_REQUEST that says what is missing */
export async function endpointsOf(options: EndpointOptions): Promise<Endpoints> {
  if (options.authn === undefined && options.broker === undefined && options.audience === undefined) return configured(options);
  const { authn, broker = authn, audience } = options;
  const ca = options.ca === undefined ? {} : { ca: readPem(options.ca) };
  const endpoints = parseEndpoints({ authn, broker, audience, ...ca });
  if (endpoints !== undefined) return endpoints;
  throw new Refusal(
    "INVALID_REQUEST",
    "Say where: --authn HOST:PORT --audience URL, with --broker HOST:PORT and --ca FILE where they are needed.",
  );
}

/** An embedded installation: its door for agents, its name, and the CA that `init` made. */
async function configured(options: EndpointOptions): Promise<Endpoints> {
  const file = options.config ?? "sallyport.yaml";
  if (options.config === undefined && !existsSync(file)) {
    throw new Refusal(
      "INVALID_REQUEST",
      "Say where: -c sallyport.yaml for an installation on this machine, or --authn HOST:PORT --audience URL.",
    );
  }
  const { formatAddress, keysFolder, loadConfig } = await import("@sallyport/service");
  const config = await loadConfig(file);
  const { host, port } = config.listen.agents;
  const address = formatAddress({ host: loopbackOf[host] ?? host, port });
  const { host: mtlsHost, port: mtlsPort } = config.listen.agentsMtls;
  const certified = formatAddress({ host: loopbackOf[mtlsHost] ?? mtlsHost, port: mtlsPort });
  return {
    authn: address,
    broker: address,
    audience: config.audience,
    mtls: { authn: certified, broker: certified },
    ca: readPem(options.ca ?? `${keysFolder(config.dataDir)}/services-ca.crt`),
  };
}

/** A door that is open on every address is called on this machine's own. */
const loopbackOf: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Refusal(
      "INVALID_REQUEST",
      `The CA's file ${printable(path)} cannot be read; \`sallyport init\` makes it, --ca names another.`,
      { cause },
    );
  }
}
