import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { ChannelCredentials } from "@grpc/grpc-js";
import { pino } from "pino";
import type { Client } from "../client.ts";
import { type Config, formatAddress, parseConfig } from "../config/index.ts";
import { GrpcChannel } from "../grpc/client.ts";
import type { ServiceRole } from "../handler.ts";
import type { Host, Starter } from "../host.ts";
import { initKeys } from "../keys/init-keys.ts";
import { keysFolder } from "../keys/key-files.ts";
import { roles } from "../keys/spiffe.ts";
import { type RunningProcess, runProcess } from "./run-process.ts";

const anyPort = "{ agents: 127.0.0.1:0, agentsMtls: 127.0.0.1:0, peers: 127.0.0.1:0, edge: 127.0.0.1:0, ops: 127.0.0.1:0 }";

/** What a service under test does when it starts. */
export type Wire = (host: Host) => void | Promise<void>;

/** An installation in a temporary folder, whose services do what a test says. */
export class TestInstallation {
  readonly dataDir: string;
  readonly logged: string[] = [];
  readonly #running: RunningProcess[] = [];
  readonly #channels: GrpcChannel[] = [];

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  static async create(): Promise<TestInstallation> {
    const dataDir = mkdtempSync(join(tmpdir(), "sallyport-service-"));
    await initKeys({ dataDir, trustDomain: "test.internal" });
    return new TestInstallation(dataDir);
  }

  config(more = ""): Config {
    const alone = (role: string) => `  ${role}: { listen: ${anyPort} }`;
    const services = more.includes("services:") ? "" : `services:\n${roles.map(alone).join("\n")}\n`;
    return parseConfig(
      `version: 1\ntrustDomain: test.internal\ndataDir: ${this.dataDir}\nlisten: ${anyPort}\n${services}${more}`,
      "sallyport.yaml",
    );
  }

  async run(wires: Partial<Record<ServiceRole, Wire>>, config = this.config(), only?: readonly ServiceRole[]): Promise<RunningProcess> {
    const start =
      (role: ServiceRole): Starter =>
      async (host) => {
        await wires[role]?.(host);
        return { name: role, ready: () => ({ ok: true }), stop: async () => {} };
      };
    const log = pino({ level: "debug" }, { write: (line: string) => this.logged.push(line) });
    const running = await runProcess({
      config,
      roles: only ?? roles,
      load: async (role) => ({ start: start(role) }),
      version: "0.0.0-test",
      log,
    });
    this.#running.push(running);
    return running;
  }

  file(name: string): Buffer {
    return readFileSync(join(keysFolder(this.dataDir), name));
  }

  /** A client as an agent has it. */
  agent<S extends DescService>(
    running: RunningProcess,
    service: S,
    door = "agents",
    identity?: { key: Buffer; certificate: Buffer },
  ): Client<S> {
    const credentials = ChannelCredentials.createSsl(this.file("services-ca.crt"), identity?.key ?? null, identity?.certificate ?? null);
    return this.channel(running, door, credentials).client(service);
  }

  channel(running: RunningProcess, door: string, credentials: ChannelCredentials): GrpcChannel {
    const channel = new GrpcChannel(formatAddress(running.addresses[door] ?? { host: "none", port: 0 }), {
      credentials,
      options: { "grpc.ssl_target_name_override": "localhost" },
    });
    this.#channels.push(channel);
    return channel;
  }

  async end(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await Promise.all(this.#running.map((running) => running.stop()));
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Asserts that a promise is refused, and returns the refusal. */
export async function refused(
  promise: Promise<unknown>,
): Promise<{ reason: string; message: string; metadata: Readonly<Record<string, string>> }> {
  try {
    await promise;
  } catch (error) {
    if ((error as Error).name === "Refusal") return error as never;
    throw error;
  }
  throw new Error("it was not refused");
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
