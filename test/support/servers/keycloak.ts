import { join } from "node:path";
import { dial, freePort } from "../process/port.ts";
import { keycloakHome } from "../provision/keycloak.ts";
import { lacking, obtain } from "../provision/obtain.ts";
import { onPath } from "./on-path.ts";
import { type Finder, type OwnServer, own, type Skipped, theirs } from "./server.ts";

/** A Keycloak, in memory where it was started here; `address` is its base URL. */
export interface KeycloakServer extends OwnServer {
  /** A call of its admin API as its first administrator, such as `POST /admin/realms`. @returns the answer's JSON, undefined where it has none */
  admin(method: string, path: string, body?: unknown): Promise<unknown>;
}

export interface KeycloakOptions {
  /** With the memory and the compiler that Keycloak gives itself, as where it is in earnest; else it starts quickly and stays small. */
  earnest?: boolean;
}

/** Also of one that the environment names. */
const administrator = { name: "admin", password: "administrator-of-a-test" };
const named = () => process.env.SALLYPORT_TEST_KEYCLOAK;
const heap = "-Xms128m -Xmx768m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:MaxMetaspaceSize=384m";

function missing(): string | undefined {
  if (named() !== undefined) return undefined;
  const lacks = onPath("java") === undefined ? "install Java 17 or newer" : lacking(keycloakHome);
  return lacks === undefined ? undefined : `no Keycloak: ${lacks}, or set SALLYPORT_TEST_KEYCLOAK=http://host:port`;
}

/** A real identity provider for OIDC and SAML. It takes half a minute to start: share one in a spec file. */
export const keycloak: Finder<KeycloakServer, KeycloakOptions> = Object.assign(
  async ({ earnest = false }: KeycloakOptions = {}): Promise<KeycloakServer | Skipped> => {
    const running = named();
    if (running !== undefined) return Object.assign(theirs(running), { admin: adminOf(running) });
    const why = missing();
    if (why !== undefined) return { skipped: why };
    const home = await obtain(keycloakHome);
    const [port, managementPort] = [await freePort(), await freePort()];
    const address = `http://127.0.0.1:${port}`;
    const server = await own(address, () => ({
      name: "Keycloak",
      command: "sh",
      args: [
        join(home, "bin", "kc.sh"),
        "start",
        "--optimized",
        "--http-enabled=true",
        "--http-host=127.0.0.1",
        `--http-port=${port}`,
        `--http-management-port=${managementPort}`,
        `--hostname=${address}`,
        "--log-level=warn",
      ],
      env: {
        ...process.env,
        ...(earnest ? {} : { JAVA_OPTS: heap }),
        KC_BOOTSTRAP_ADMIN_USERNAME: administrator.name,
        KC_BOOTSTRAP_ADMIN_PASSWORD: administrator.password,
      },
      ready: () => serves(port, `${address}/realms/master`),
      startMs: earnest ? 300_000 : 110_000,
    }));
    return Object.assign(server, { admin: adminOf(address) });
  },
  { missing },
);

async function serves(port: number, url: string): Promise<boolean> {
  const socket = await dial(port);
  if (socket === undefined) return false;
  socket.destroy();
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  return answer?.ok ?? false;
}

function adminOf(address: string): KeycloakServer["admin"] {
  const signIn = async () => {
    const form = { grant_type: "password", client_id: "admin-cli", username: administrator.name, password: administrator.password };
    const url = `${address}/realms/master/protocol/openid-connect/token`;
    const answer = (await answered(await fetch(url, { method: "POST", body: new URLSearchParams(form) }))) as { access_token: string };
    return answer.access_token;
  };
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${await signIn()}`, "content-type": "application/json" };
    return answered(await fetch(`${address}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }));
  };
}

async function answered(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!response.ok) throw new Error(`Keycloak answered ${response.status}: ${text.slice(0, 500)}`);
  return text === "" ? undefined : JSON.parse(text);
}
