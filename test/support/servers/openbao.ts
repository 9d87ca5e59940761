import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, until } from "../process/port.ts";
import { lacking, obtain } from "../provision/obtain.ts";
import { openbaoBinary } from "../provision/openbao.ts";
import { onPath } from "./on-path.ts";
import { type Finder, type OwnServer, own, type Skipped, theirs } from "./server.ts";

export interface OpenbaoOptions {
  /** Keeps its data in files and writes an audit file, as in production; it survives a restart. The default is `-dev`, in memory. */
  durable?: boolean;
}

export interface OpenbaoServer extends OwnServer {
  /** A root token. */
  readonly token: string;
  /** Calls the HTTP API with the root token; `path` without `/v1/`. */
  api(method: string, path: string, body?: object): Promise<unknown>;
  /** The audit file of a durable server. */
  readonly auditFile: string;
  /** Of a durable server: it answers 503 to everything until it is unsealed. */
  seal(): Promise<void>;
  unseal(): Promise<void>;
  /** Every token that a policy of this name was given to. */
  revokeTokens(policy: string): Promise<void>;
}

const named = () => process.env.SALLYPORT_TEST_OPENBAO;

function missing(): string | undefined {
  if (named() !== undefined)
    return process.env.SALLYPORT_TEST_OPENBAO_TOKEN === undefined ? "SALLYPORT_TEST_OPENBAO_TOKEN is not set" : undefined;
  const lacks = onPath("bao") === undefined ? lacking(openbaoBinary) : undefined;
  return lacks === undefined
    ? undefined
    : `no OpenBao: ${lacks}, or install bao, or set SALLYPORT_TEST_OPENBAO=http://host:port and SALLYPORT_TEST_OPENBAO_TOKEN`;
}

/** An OpenBao with a KV version 2 engine at `secret/`; `address` is its base URL. */
export const openbao: Finder<OpenbaoServer, OpenbaoOptions> = Object.assign(
  async (options: OpenbaoOptions = {}): Promise<OpenbaoServer | Skipped> => {
    const why = missing();
    if (why !== undefined) return { skipped: why };
    const address = named();
    if (address !== undefined && !options.durable)
      return withApi(theirs(address), process.env.SALLYPORT_TEST_OPENBAO_TOKEN as string, "", notDurable);
    const bao = onPath("bao") ?? join(await obtain(openbaoBinary), "bao");
    return options.durable ? durable(bao) : inMemory(bao);
  },
  { missing },
);

const notDurable = async () => assert.fail("only a durable OpenBao can be sealed");

async function inMemory(bao: string): Promise<OpenbaoServer> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const token = `root-${randomBytes(12).toString("hex")}`;
  const server = await own(address, (folder) => ({
    name: "OpenBao",
    command: bao,
    args: ["server", "-dev", "-dev-no-store-token", `-dev-listen-address=127.0.0.1:${port}`],
    env: { ...process.env, BAO_DEV_ROOT_TOKEN_ID: token, HOME: folder },
    ready: async () => (await status(address)) === 200,
  }));
  return withApi(server, token, "", notDurable);
}

async function durable(bao: string): Promise<OpenbaoServer> {
  const [port, clusterPort] = [await freePort(), await freePort()];
  const address = `http://127.0.0.1:${port}`;
  let [token, unsealKey] = ["", ""];
  const unseal = async () => {
    await call(address, "", "PUT", "sys/unseal", { key: unsealKey });
    while ((await status(address)) !== 200) await new Promise((resolve) => setTimeout(resolve, 25));
  };
  const server = await own(address, (folder) => {
    const config = join(folder, "bao.hcl");
    return {
      name: "OpenBao",
      command: bao,
      args: ["server", `-config=${config}`],
      env: { ...process.env, HOME: folder },
      prepare: async () => {
        [token, unsealKey] = ["", ""];
        mkdirSync(join(folder, "data"));
        writeFileSync(config, raftConfig(folder, port, clusterPort));
      },
      ready: async () => (await status(address)) !== undefined,
      started: async () => {
        const fresh = token === "";
        if (fresh) {
          const made = (await call(address, "", "PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 })) as {
            keys: string[];
            root_token: string;
          };
          [token, unsealKey] = [made.root_token, made.keys[0] as string];
        }
        await unseal();
        if (fresh) await mountKv(address, token);
      },
    };
  });
  return withApi(server, () => token, join(server.folder, "audit.log"), unseal);
}

/** @param join addresses of other nodes that it may join */
export const raftConfig = (folder: string, port: number, clusterPort: number, node = "test", join: readonly string[] = []): string => `
storage "raft" {
  path = "${folder}/data"
  node_id = "${node}"
  performance_multiplier = 1
${join.map((address) => `  retry_join {\n    leader_api_addr = "${address}"\n  }\n`).join("")}}
listener "tcp" {
  address = "127.0.0.1:${port}"
  cluster_address = "127.0.0.1:${clusterPort}"
  tls_disable = true
}
audit "file" "file" {
  options { file_path = "audit.log" }
}
api_addr = "http://127.0.0.1:${port}"
cluster_addr = "http://127.0.0.1:${clusterPort}"
`;

function withApi(server: OwnServer, token: string | (() => string), auditFile: string, unseal: () => Promise<void>): OpenbaoServer {
  const current = typeof token === "string" ? () => token : token;
  return Object.defineProperty(
    {
      ...server,
      auditFile,
      token: "",
      api: (method: string, path: string, body?: object) => call(server.address, current(), method, path, body),
      seal: async () => void (await call(server.address, current(), "PUT", "sys/seal")),
      unseal,
      revokeTokens: (policy: string) => revokeTokens(server.address, current(), policy),
    },
    "token",
    { get: current, enumerable: true },
  );
}

async function revokeTokens(address: string, token: string, policy: string): Promise<void> {
  const { data } = (await call(address, token, "LIST", "auth/token/accessors")) as { data: { keys: string[] } };
  for (const accessor of data.keys) {
    const found = (await call(address, token, "POST", "auth/token/lookup-accessor", { accessor })) as { data: { policies: string[] } };
    if (found.data.policies.includes(policy)) await call(address, token, "POST", "auth/token/revoke-accessor", { accessor });
  }
}

/** KV version 2 at `secret/`. For a moment after it was mounted it answers 400. */
export async function mountKv(address: string, token: string): Promise<void> {
  await call(address, token, "POST", "sys/mounts/secret", { type: "kv", options: { version: "2" } });
  await until("KV version 2", async () => {
    const answer = await fetch(`${address}/v1/secret/data/none`, { headers: { "x-vault-token": token } });
    return answer.status === 404;
  });
}

/** Of `sys/health`; undefined where nothing answers. */
export async function status(address: string): Promise<number | undefined> {
  try {
    return (await fetch(`${address}/v1/sys/health`, { signal: AbortSignal.timeout(1000) })).status;
  } catch {
    return undefined;
  }
}

export async function call(address: string, token: string, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${address}/v1/${path}`, {
    method,
    headers: token === "" ? {} : { "x-vault-token": token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`OpenBao ${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
  return text === "" ? undefined : JSON.parse(text);
}
