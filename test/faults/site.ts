import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Action, Agent, type BindingOption, type CeilingInit, type Endpoints, Person } from "@sallyport/sdk";
import { parse, stringify } from "yaml";
import { type World, writeConfiguration } from "../demo/configuration.ts";
import { freePorts } from "../demo/free-port.ts";
import { type HostileApi, startHostileApi } from "../demo/hostile-api.ts";
import { at } from "../demo/installation.ts";
import { startIssuer } from "../demo/issuer.ts";
import { shareKeys } from "../demo/scaled-out.ts";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";
import { Service } from "./service.ts";
import { steadily } from "./told.ts";

export type Role = (typeof roles)[number];
const roles = ["authn", "pdp", "broker", "audit"] as const;
const secrets = ["prod/orders/api", "prod/orders/read", "prod/payroll/db"];

// biome-ignore lint/suspicious/noExplicitAny: a configuration file before it is checked
export type Configure = (config: any) => void;

export interface SiteOptions {
  readonly configure?: Configure;
  /** What the secrets hold; random unless given. */
  readonly canary?: string;
}

/** An installation under test, with the people, the agents and the target of the demo around it. */
export interface Site {
  readonly folder: string;
  readonly canary: string;
  readonly api: HostileApi;
  readonly endpoints: Endpoints;
  readonly configFile: string;
  /** The broker's HTTP door. */
  readonly edge: string;
  /** The evidence log. */
  readonly log: string;
  /** Its processes; embedded, all roles are one. */
  readonly services: Readonly<Record<Role, Service>>;
  /** Where each role's data lies. */
  readonly dataDirs: Readonly<Record<Role, string>>;
  /** Where the roles call one another; embedded, nobody calls there. */
  readonly peers: Readonly<Record<Role, string>>;
  /** Another replica of the broker, where it was asked for. */
  readonly secondBroker: Replica | undefined;
  person(name: string, groups: readonly string[]): Promise<Person>;
  idToken(name: string, groups: readonly string[]): Promise<string>;
  /** What the release pipeline signs in with, or another of alice's pipelines. */
  workloadToken(subject?: string): Promise<string>;
  /** An agent of the release pipeline, which alice owns. */
  agent(name?: string, ceiling?: CeilingInit, options?: BindingOption): Promise<Agent>;
  stop(): Promise<void>;
}

/** A further process of a role: where agents reach it. */
export interface Replica {
  readonly service: Service;
  readonly agents: string;
  readonly agentsMtls: string;
}

/** What an agent may do unless a test says otherwise. */
export const orders: CeilingInit = {
  entries: [{ actions: [Action.LIST, Action.READ, Action.USE, Action.DELEGATE], secrets: ["prod/orders/*"], targets: ["*"] }],
};

/** Four services in one process, SQLite, a file store. */
export async function embeddedSite(options: SiteOptions = {}): Promise<Site> {
  const outside = await startOutside(options);
  const { folder } = outside;
  const listen = doors(await freePorts(5), 0);
  const dataDir = join(folder, "data");
  const configFile = outside.write("sallyport", { dataDir, state: "sqlite", listen, store: fileStore(join(folder, "vault")) });
  const service = new Service(["start", "-c", configFile], { ops: listen.ops as string, logFile: join(folder, "logs", "sallyport.log") });
  return outside.open({
    configFile,
    dataDirs: { authn: dataDir, pdp: dataDir, broker: dataDir, audit: dataDir },
    peers: { authn: listen.peers as string, pdp: listen.peers as string, broker: listen.peers as string, audit: listen.peers as string },
    authn: listen.agents as string,
    broker: listen.agents as string,
    edge: listen.edge as string,
    mtls: { authn: listen.agentsMtls as string, broker: listen.agentsMtls as string },
    services: { authn: service, pdp: service, broker: service, audit: service },
  });
}

export interface SplitOptions extends SiteOptions {
  /** Where evidence goes too. */
  readonly kafka?: { address: string; topic: string };
  readonly twoBrokers?: boolean;
}

/** Four processes with mTLS between them and their state in Redis. */
export async function splitSite(redis: string, options: SplitOptions = {}): Promise<Site> {
  const outside = await startOutside(options);
  const { folder } = outside;
  const ports = await freePorts(25);
  const listen = Object.fromEntries(roles.map((role, index) => [role, doors(ports, index * 5)])) as Record<Role, Record<string, string>>;
  const peers = Object.fromEntries(roles.map((role) => [role, listen[role].peers]));
  const { kafka } = options;
  const evidence = kafka && { mode: "journal", kafka: { brokers: [kafka.address], topic: kafka.topic } };
  const secondDoors = doors(ports, 20);
  const write = (name: string, brokerListen = listen.broker) =>
    outside.write(name, {
      dataDir: join(folder, name),
      state: redis,
      ...(evidence === undefined ? {} : { evidence }),
      services: Object.fromEntries(roles.map((one) => [one, { listen: one === "broker" ? brokerListen : listen[one], peers }])),
      store: fileStore(join(folder, "vault")),
    });
  const files = Object.fromEntries(roles.map((role) => [role, write(role)])) as Record<Role, string>;
  await shareKeys(folder, options.twoBrokers ? [...roles, "broker-2"] : roles, files.authn);
  const serviceOf = (name: string, role: Role, file: string, ops: string) =>
    new Service(["start", role, "-c", file], { ops, logFile: join(folder, "logs", `${name}.log`) });
  const services = Object.fromEntries(
    roles.map((role) => [role, serviceOf(role, role, files[role], listen[role].ops as string)]),
  ) as Record<Role, Service>;
  return outside.open({
    ...(options.twoBrokers
      ? {
          secondBroker: {
            service: serviceOf("broker-2", "broker", write("broker-2", secondDoors), secondDoors.ops as string),
            agents: secondDoors.agents as string,
            agentsMtls: secondDoors.agentsMtls as string,
          },
        }
      : {}),
    configFile: files.broker,
    dataDirs: Object.fromEntries(roles.map((role) => [role, join(folder, role)])) as Record<Role, string>,
    peers: peers as Record<Role, string>,
    authn: listen.authn.agents as string,
    broker: listen.broker.agents as string,
    edge: listen.broker.edge as string,
    mtls: { authn: listen.authn.agentsMtls as string, broker: listen.broker.agentsMtls as string },
    services,
  });
}

interface Form {
  readonly configFile: string;
  readonly dataDirs: Record<Role, string>;
  readonly peers: Record<Role, string>;
  readonly authn: string;
  readonly broker: string;
  readonly edge: string;
  readonly mtls: NonNullable<Endpoints["mtls"]>;
  readonly services: Record<Role, Service>;
  readonly secondBroker?: Replica;
}

async function startOutside({ configure, canary = `sk_live_${randomBytes(18).toString("base64url")}/+x` }: SiteOptions) {
  const folder = scratchFolder("site");
  const [people, workloads, api] = await Promise.all([startIssuer(), startIssuer(), startHostileApi(canary)]);
  const world: World = { state: folder, peopleIssuer: people.url, workloadIssuer: workloads.url, apiUrl: api.url };
  const idToken = (subject: string, groups: readonly string[]) => people.idToken({ subject, groups }, "sallyport");
  const workloadToken = (subject = "release-bot") =>
    workloads.idToken({ subject, groups: ["release-pipelines"], owner: "alice" }, "sallyport");
  return {
    folder,
    write(name: string, form: Record<string, unknown> & { store: object }): string {
      const file = join(folder, `${name}.yaml`);
      writeConfiguration(file, world, form);
      const config = parse(readFileSync(file, "utf8"));
      configure?.(config);
      writeFileSync(file, stringify(config));
      return file;
    },
    async open({ configFile, dataDirs, peers, authn, broker, edge, mtls, services, secondBroker }: Form): Promise<Site> {
      mkdirSync(join(folder, "vault"), { recursive: true });
      writeFileSync(join(folder, "vault", "store.key"), `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
      const others = secondBroker === undefined ? [] : [secondBroker.service];
      const processes = [...new Set([...others, ...Object.values(services)])];
      for (const service of processes) service.launch();
      const opened: { close(): void }[] = [];
      const kept = <T extends { close(): void }>(one: T): T => {
        opened.push(one);
        return one;
      };
      const stop = async () => {
        for (const one of opened) one.close();
        // The audit writer last: the others still hand it what they have.
        for (const service of processes) await service.stop();
        await Promise.all([api.stop(), people.stop(), workloads.stop()]);
        if (process.env.SALLYPORT_KEEP_SITES !== "1") removeScratch(folder);
      };
      try {
        await Promise.all(processes.map((service) => service.ready()));
        const endpoints: Endpoints = {
          authn,
          broker,
          audience: "https://demo.internal",
          mtls,
          ca: readFileSync(join(dataDirs.authn, "keys", "services-ca.crt"), "utf8"),
        };
        const person = async (name: string, groups: readonly string[]) =>
          kept(await Person.signIn({ endpoints, idToken: await idToken(name, groups) }));
        const keeper = await steadily(() => person("kim", ["secret-keepers"]));
        for (const secret of secrets) await steadily(() => keeper.session.broker.write({ secret, fields: { token: Buffer.from(canary) } }));
        return {
          folder,
          canary,
          api,
          endpoints,
          configFile,
          edge,
          log: join(dataDirs.audit, "audit", "log"),
          services,
          dataDirs,
          peers,
          secondBroker,
          person,
          idToken,
          workloadToken,
          agent: async (name = "release", ceiling = orders, options = {}) =>
            kept(await Agent.signIn({ endpoints, subjectToken: await workloadToken(), name, ceiling, ...options })),
          stop,
        };
      } catch (error) {
        await stop();
        throw error;
      }
    },
  };
}

const fileStore = (folder: string) => ({ kind: "file", path: join(folder, "secrets.jwe"), key: `file:${join(folder, "store.key")}` });

const doors = (ports: readonly number[], first: number): Record<string, string> =>
  Object.fromEntries(["agents", "agentsMtls", "peers", "edge", "ops"].map((door, index) => [door, at(ports[first + index] as number)]));
