import type { CertificateFiles } from "./certificates.ts";

export interface ToolEnvironment {
  /** The tool's proxy, as a URL. */
  readonly proxy: string;
  /** Where `/t/<target>/…` is, for tools that take a base URL. */
  readonly targets: string;
  readonly certificates: Pick<CertificateFiles, "alone" | "bundle">;
  /** Hosts that must not be reached around the proxy. */
  readonly targetHosts: readonly string[];
}

/** Ways to other processes of the user, which could act for the tool out of its namespace; and what is Sallyport's own. */
const withheld =
  /^(?:SSH_AUTH_SOCK|SSH_AGENT_PID|GPG_AGENT_INFO|DBUS_SESSION_BUS_ADDRESS|DOCKER_HOST|XDG_RUNTIME_DIR|WAYLAND_DISPLAY|DISPLAY|SALLYPORT_.*|NODE_CHANNEL_.*)$/;

/** What a tool, and every process that it can look into, may have of an environment. */
export const withoutWithheld = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && !withheld.test(entry[0])));

/** Paths of the Unix sockets that withheld variables name: `/path`, `unix:///path` or `unix:path=/path,…`. */
export function withheldSockets(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([name, value = ""]) => {
    if (!withheld.test(name)) return [];
    return value.split(";").flatMap((one) => /^(?:unix:(?:path=|\/\/)?)?(\/[^,:]*)/.exec(one)?.[1] ?? []);
  });
}

const local = ["localhost", "127.0.0.1", "::1"];

/** The environment of a tool: its own, with the proxy and whom to trust in all the spellings that tools know. Nothing in it is secret. */
export function environmentOf(
  env: NodeJS.ProcessEnv,
  { proxy, targets, certificates, targetHosts }: ToolEnvironment,
): Record<string, string> {
  // What the tool itself serves on its loopback stays there, unless a target has that name.
  const direct = local.filter((name) => !targetHosts.some((host) => host === name || host.endsWith(`.${name}`))).join(",");
  const { alone, bundle } = certificates;
  const both = (name: string, value: string) => ({ [name]: value, [name.toLowerCase()]: value });
  return {
    ...withoutWithheld(env),
    ...both("HTTP_PROXY", proxy),
    ...both("HTTPS_PROXY", proxy),
    ...both("ALL_PROXY", proxy),
    ...both("NO_PROXY", direct),
    SALLYPORT_TARGETS: targets,
    // Node: fetch and node:http heed the proxy from 24 on.
    NODE_USE_ENV_PROXY: "1",
    NODE_EXTRA_CA_CERTS: alone,
    SSL_CERT_FILE: bundle,
    REQUESTS_CA_BUNDLE: bundle,
    CURL_CA_BUNDLE: bundle,
    GIT_SSL_CAINFO: bundle,
    AWS_CA_BUNDLE: bundle,
    PIP_CERT: bundle,
    CARGO_HTTP_CAINFO: bundle,
    DENO_CERT: alone,
    npm_config_cafile: bundle,
  };
}
