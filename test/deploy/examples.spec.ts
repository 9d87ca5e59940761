import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize, resolve } from "node:path";
import { type Address, type Config, initKeys, loadConfig, roles, type ServiceRole } from "@sallyport/service";
import { parse } from "yaml";

const root = resolve(import.meta.dirname, "../..");
const deploy = join(root, "deploy");

/** Every example configuration that is shipped. */
const examples = readdirSync(deploy, { recursive: true, encoding: "utf8" })
  .filter((name) => /(^|\/)sallyport\.yaml$/.test(name))
  .map((name) => join(deploy, name));

describe("the example configurations", () => {
  it("are there", () => assert.ok(examples.length > 0));
  for (const file of examples) {
    it(`${file.slice(root.length + 1)} is taken by the loader`, () => loadConfig(file, {}));
  }
});

interface ComposeService {
  command?: string[];
  entrypoint?: string[];
  networks?: string[];
  ports?: string[];
  volumes?: string[];
  secrets?: string[];
  user?: string;
  ulimits?: { core?: number };
  stop_grace_period?: string;
}

interface Compose {
  services: Record<string, ComposeService>;
  networks: Record<string, { internal?: boolean; ipam?: { config: { subnet: string }[] } }>;
  volumes: Record<string, unknown>;
  secrets: Record<string, { file: string }>;
}

const inContainer = "/etc/sallyport/sallyport.yaml";
const dataDir = "/var/lib/sallyport";

describe("deploy/compose.yaml", () => {
  const file = join(deploy, "compose.yaml");
  const compose = parse(readFileSync(file, "utf8"), { merge: true }) as Compose;
  const mounts = (service: ComposeService) =>
    (service.volumes ?? []).map((text) => {
      const [source = "", target = ""] = text.split(":");
      return { source, target };
    });
  /** Who runs a service of Sallyport's: name in the compose file, role, and what it was given. */
  const ours = Object.entries(compose.services).flatMap(([name, service]) => {
    const role = roles.find((one) => service.command?.[0] === "start" && service.command[1] === one);
    return role === undefined ? [] : [{ name, role, service }];
  });
  let config: Config;
  before(async () => {
    config = await loadConfig(join(deploy, "scaled-out/sallyport.yaml"), {});
  });
  const portsOf = (role: ServiceRole) =>
    Object.fromEntries(Object.entries(config.services[role].listen).map(([door, at]) => [at.port, door]));

  it("runs every service, two brokers, and one audit writer", () => {
    const count = (role: ServiceRole) => ours.filter((one) => one.role === role).length;
    assert.deepEqual(roles.map(count), [1, 1, 2, 1]);
  });

  it("mounts only files that exist, and volumes and secrets that are declared", () => {
    const declared = new Set(Object.keys(compose.volumes));
    const used = new Set<string>();
    for (const service of Object.values(compose.services)) {
      for (const { source } of mounts(service)) {
        if (source.startsWith(".")) assert.ok(existsSync(join(deploy, source)), `${source} is mounted and does not exist`);
        else used.add(source);
      }
      for (const secret of service.secrets ?? []) assert.ok(compose.secrets[secret], `the secret ${secret} is not declared`);
      for (const network of service.networks ?? []) assert.ok(network in compose.networks, `the network ${network} is not declared`);
    }
    assert.deepEqual([...used].sort(), [...declared].sort());
  });

  it("gives each replica the configuration and a data folder of its own, where the configuration looks for them", () => {
    assert.equal(config.dataDir, dataDir);
    const folders = ours.map(({ name, service }) => {
      const at = (target: string) => mounts(service).find((mount) => mount.target === target)?.source;
      assert.equal(at(inContainer), "./scaled-out/sallyport.yaml", name);
      const data = at(dataDir);
      assert.ok(data !== undefined && data in compose.volumes, name);
      return data;
    });
    assert.equal(new Set(folders).size, ours.length);
  });

  it("gives the pdp its policies, and nobody else", () => {
    const policies = join(dirname(inContainer), "policies");
    assert.equal(config.policies, join(deploy, "scaled-out/policies"), "beside the configuration, so beside it in the container");
    const given = ours.filter(({ service }) => mounts(service).some(({ target }) => target === policies)).map(({ role }) => role);
    assert.deepEqual(given, ["pdp"]);
  });

  it("publishes doors that the configuration opens, on loopback, each host port once", () => {
    const taken = new Set<string>();
    for (const { name, role, service } of ours) {
      for (const text of service.ports ?? []) {
        const [address, host = "", container = ""] = text.split(":");
        assert.equal(address, "127.0.0.1", name);
        assert.ok(!taken.has(host), `${host} is published twice`);
        taken.add(host);
        assert.ok(["agents", "agentsMtls", "edge"].includes(portsOf(role)[Number(container)] ?? ""), `${name} publishes ${container}`);
      }
    }
    for (const [name, service] of Object.entries(compose.services)) {
      if (!ours.some((one) => one.name === name)) assert.equal(service.ports, undefined, `${name} is for the services only`);
    }
  });

  const reaches = (from: ComposeService, host: string, what: string) => {
    const to = compose.services[host];
    assert.ok(to !== undefined, `${what}: there is no service ${host}`);
    assert.ok(
      from.networks?.some((network) => to.networks?.includes(network)),
      `${what}: no network in common`,
    );
  };

  it("lets every service find the peers that it is configured with, at a door that is open to them", () => {
    for (const { name, role, service } of ours) {
      const peers = config.services[role].peers as Partial<Record<ServiceRole, Address>>;
      for (const [peer, at] of Object.entries(peers)) {
        reaches(service, at.host, `${name} → ${peer}`);
        const { host, port } = config.services[peer as ServiceRole].listen.peers;
        assert.deepEqual([host, port], ["0.0.0.0", at.port], `${name} → ${peer}`);
      }
    }
  });

  it("configures each service with the peers that it calls", () => {
    const needs: Record<ServiceRole, ServiceRole[]> = {
      authn: ["pdp", "audit"],
      pdp: ["audit"],
      broker: ["authn", "pdp", "audit"],
      audit: ["authn", "pdp"],
    };
    for (const role of roles) assert.deepEqual(Object.keys(config.services[role].peers).sort(), needs[role].toSorted());
  });

  it("puts each server on the networks of those that are trusted with it, and of nobody else", () => {
    const hostOf = (url: string) => new URL(url).hostname;
    const kafka = config.evidence.kafka?.brokers[0]?.split(":")[0] ?? "";
    const vault = config.stores.vault;
    assert.ok(vault?.kind === "openbao");
    const trusted: Record<string, ServiceRole[]> = {
      [hostOf(config.state)]: ["authn", "broker"],
      [kafka]: ["audit"],
      [hostOf(vault.address[0] as string)]: ["broker"],
    };
    for (const [host, allowed] of Object.entries(trusted)) {
      const networks = compose.services[host]?.networks ?? [];
      assert.equal(networks.length, 1, host);
      assert.equal(compose.networks[networks[0] as string]?.internal, true, host);
      const there = new Set(ours.filter(({ service }) => service.networks?.includes(networks[0] as string)).map(({ role }) => role));
      assert.deepEqual([...there].sort(), allowed, host);
    }
    const vaultNetwork = compose.services[hostOf(vault.address[0] as string)]?.networks?.[0] as string;
    assert.deepEqual(
      vault.network,
      compose.networks[vaultNetwork]?.ipam?.config.map(({ subnet }) => subnet),
    );
  });

  it("brings the vault's credentials as files that the configuration names, to the brokers only", () => {
    const vault = config.stores.vault;
    assert.ok(vault?.kind === "openbao" && vault.auth.approle !== undefined);
    const { roleId, secretId } = vault.auth.approle;
    const named = [roleId, secretId].map((reference) => reference.replace(/^file:\/run\/secrets\//, ""));
    for (const { role, service } of ours) assert.deepEqual((service.secrets ?? []).toSorted(), role === "broker" ? named.toSorted() : []);
  });

  it("writes no core files, and gives draining its time", () => {
    for (const { name, service } of ours) {
      assert.equal(service.ulimits?.core, 0, name);
      assert.ok(Number.parseInt(service.stop_grace_period ?? "0", 10) >= 20, name);
    }
  });

  it("runs Redis so that what was acknowledged is on disk", () => {
    const command = compose.services.redis?.command?.join(" ") ?? "";
    assert.match(command, /--appendonly yes --appendfsync always/);
    assert.match(command, /--maxmemory-policy noeviction/);
  });
});

describe("deploy/scaled-out/issue-keys.sh", () => {
  const text = readFileSync(join(deploy, "scaled-out/issue-keys.sh"), "utf8");
  const handed = new Map(
    [...text.matchAll(/^hand_out ([a-z0-9-]+) (.+)$/gm)].map(([, volume = "", keys = ""]) => [volume, keys.split(" ")] as const),
  );
  let made: string[];
  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-deploy-"));
    made = await initKeys({ dataDir: folder, trustDomain: "example.internal" });
    rmSync(folder, { recursive: true });
  });

  it("hands out what `sallyport init` makes, and all of it but what no service holds", () => {
    const given = new Set([...handed.values()].flat());
    assert.deepEqual(
      [...given].filter((key) => !made.includes(key)),
      [],
    );
    assert.deepEqual(made.filter((key) => !given.has(key)).sort(), ["file-store.key", "services-ca.key"]);
  });

  it("gives a private key to one kind of service; the listeners' alone is shared", () => {
    const holders = new Map<string, Set<string>>();
    for (const [volume, keys] of handed) {
      for (const key of keys.filter((name) => !/\.(crt|pub)$/.test(name))) {
        holders.set(key, (holders.get(key) ?? new Set()).add(volume.replace(/-\d+$/, "")));
      }
    }
    const shared = [...holders].filter(([, by]) => by.size > 1).map(([key]) => key);
    assert.deepEqual(shared, ["listener.key"]);
  });
});

describe("deploy/Dockerfile", () => {
  const text = readFileSync(join(deploy, "Dockerfile"), "utf8");

  it("runs the Node that the repository pins, as a user without rights", () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: { node: string } };
    assert.equal(/^ARG NODE_VERSION=(.+)$/m.exec(text)?.[1], dependencies.node);
    assert.match(text, /^USER 10001:10001$/m);
  });

  it("copies only what is there, and starts a file that is there", () => {
    for (const [, options = "", sources = ""] of text.matchAll(/^COPY ((?:--\S+ )*)(.+) \S+$/gm)) {
      if (options.includes("--from=")) continue;
      for (const source of sources.split(" ")) assert.ok(statSync(join(root, normalize(source)), { throwIfNoEntry: false }), source);
    }
    const entry = readFileSync(join(deploy, "entrypoint.sh"), "utf8");
    const started = /\/opt\/sallyport\/(\S+)/.exec(entry)?.[1] ?? "";
    assert.ok(existsSync(join(root, started)), started);
    assert.match(entry, /^ulimit -c 0$/m);
  });
});
