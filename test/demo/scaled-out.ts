import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isSkipped, kafka, type OpenbaoServer, type OwnServer, openbao, redis, type Skipped } from "../support/servers.ts";
import { loopback, type World, writeConfiguration } from "./configuration.ts";
import { freePorts } from "./free-port.ts";
import { at, type Installation, ready } from "./installation.ts";
import { mustRun, startProcess } from "./process.ts";

const topic = "sallyport.evidence";
const roles = ["authn", "pdp", "broker", "audit"] as const;

/** What could not be had, with how to get it. */
export class Missing extends Error {}

/** Real servers: Redis, Kafka, OpenBao; four services as processes of their own with mTLS between them; two brokers. @param more configuration beyond that */
export async function startScaledOut(world: World, more: Record<string, unknown> = {}): Promise<Installation> {
  const { state } = world;
  const found = [await redis({ own: true }), await kafka({ own: true }), await openbao()] as [
    OwnServer | Skipped,
    OwnServer | Skipped,
    OpenbaoServer | Skipped,
  ];
  const missing = found.filter(isSkipped);
  if (missing.length > 0) {
    for (const server of found) if (!isSkipped(server)) await server.stop();
    throw new Missing(missing.map(({ skipped }) => skipped).join("\n"));
  }
  const [cache, stream, vault] = found as [OwnServer, OwnServer, OpenbaoServer];
  const auth = await vaultRole(vault, state);
  const ports = await freePorts(25);
  const doors = (first: number) =>
    Object.fromEntries(
      ["agents", "agentsMtls", "peers", "edge", "ops"].map((door, index) => [door, at(ports[first + index] as number)]),
    ) as Record<string, string>;
  const listen = { authn: doors(0), pdp: doors(5), broker: doors(10), audit: doors(15) };
  const secondBroker = doors(20);
  const peers = Object.fromEntries(roles.map((role) => [role, listen[role].peers]));
  const write = (name: string, brokerListen: Record<string, string>) => {
    const file = join(state, `${name}.yaml`);
    const services = Object.fromEntries(roles.map((role) => [role, { listen: role === "broker" ? brokerListen : listen[role], peers }]));
    writeConfiguration(file, world, {
      dataDir: join(state, name),
      state: cache.address,
      evidence: { mode: "journal", kafka: { brokers: [stream.address], topic } },
      services,
      store: { kind: "openbao", address: vault.address, auth, network: loopback },
      ...more,
    });
    return file;
  };
  const names = ["authn", "pdp", "audit", "broker-1", "broker-2"];
  const files = Object.fromEntries(names.map((name) => [name, write(name, name === "broker-2" ? secondBroker : listen.broker)])) as Record<
    string,
    string
  >;
  await shareKeys(state, names, files.authn as string);

  const start = async (name: string) => {
    const role = name.replace(/-\d$/, "");
    const logFile = join(state, "logs", `${name}.log`);
    const service = startProcess(["start", role, "-c", files[name] as string], logFile);
    const ops = name === "broker-2" ? secondBroker.ops : listen[role as "authn"].ops;
    return { ...service, ready: ready(ops as string, service.exited, logFile) };
  };
  const running = new Map<string, Awaited<ReturnType<typeof start>>>();
  for (const name of names) running.set(name, await start(name));
  await Promise.all([...running.values()].map((service) => service.ready));

  return {
    title: "Redis, Kafka and OpenBao; authn, pdp, audit and two brokers, each a process, mTLS between them",
    configFile: files["broker-1"] as string,
    auditDataDir: join(state, "audit"),
    endpoints: {
      authn: listen.authn.agents as string,
      broker: `${listen.broker.agents},${secondBroker.agents}`,
      audience: "https://demo.internal",
      ca: readFileSync(join(state, "authn", "keys", "services-ca.crt"), "utf8"),
    },
    otherFolders: [cache.folder, stream.folder],
    scaledOut: {
      kafka: stream.address,
      topic,
      killBroker: () => void running.get("broker-1")?.child.kill("SIGKILL"),
      restartBroker: async () => {
        await running.get("broker-1")?.exited;
        const successor = await start("broker-1");
        running.set("broker-1", successor);
        await successor.ready;
      },
    },
    stop: async () => {
      // The audit writer last: the others still hand it what they have.
      for (const name of ["broker-1", "broker-2", "authn", "pdp", "audit"]) await running.get(name)?.stop();
      for (const server of [cache, stream, vault]) await server.stop();
    },
  };
}

/** The operator's part: the keys are made once, and each process gets the ones of its own role. */
export async function shareKeys(state: string, names: readonly string[], configFile: string): Promise<void> {
  await mustRun(["init", "-c", configFile]);
  const made = join(state, "authn", "keys");
  for (const name of names.filter((other) => other !== "authn")) {
    const role = name.replace(/-\d$/, "");
    const keys = join(state, name, "keys");
    mkdirSync(keys, { recursive: true, mode: 0o700 });
    const wanted = [
      "services-ca.crt",
      "checkpoint.pub",
      "agents-ca.crt",
      "listener.key",
      "listener.crt",
      `${role}.key`,
      `${role}.crt`,
      ...(role === "broker" ? ["broker-group.key"] : []),
      ...(role === "audit" ? ["checkpoint.key"] : []),
    ];
    for (const file of wanted) cpSync(join(made, file), join(keys, file));
  }
}

/** An AppRole that may read and write the demo's secrets and nothing else. */
export async function vaultRole(vault: OpenbaoServer, state: string): Promise<{ approle: { roleId: string; secretId: string } }> {
  await vault.api("POST", "sys/auth/approle", { type: "approle" }).catch(() => {});
  const policy =
    'path "secret/data/prod/*" { capabilities = ["create", "update", "read"] }\npath "secret/metadata/prod/*" { capabilities = ["read"] }';
  await vault.api("PUT", "sys/policies/acl/sallyport-broker", { policy });
  await vault.api("POST", "auth/approle/role/sallyport-broker", { token_policies: "sallyport-broker", token_ttl: "1h" });
  const role = (await vault.api("GET", "auth/approle/role/sallyport-broker/role-id")) as { data: { role_id: string } };
  const secret = (await vault.api("POST", "auth/approle/role/sallyport-broker/secret-id", {})) as { data: { secret_id: string } };
  writeFileSync(join(state, "bao.role"), role.data.role_id, { mode: 0o600 });
  writeFileSync(join(state, "bao.secret"), secret.data.secret_id, { mode: 0o600 });
  return { approle: { roleId: `file:${join(state, "bao.role")}`, secretId: `file:${join(state, "bao.secret")}` } };
}
