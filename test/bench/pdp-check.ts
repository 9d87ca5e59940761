import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Action, CheckRequestSchema, CheckResponseSchema, Decision, LinkKind } from "@sallyport/contracts";
import { writeConfiguration } from "../demo/configuration.ts";
import { freePorts } from "../demo/free-port.ts";
import { at, ready } from "../demo/installation.ts";
import { mustRun, startProcess } from "../demo/process.ts";
import { startCerbos } from "./cerbos.ts";
import { type Figure, type Settings, throughput } from "./figure.ts";
import { benchFolder, nobody } from "./installed.ts";
import { alternating } from "./load.ts";
import { rawGrpc } from "./raw-grpc.ts";

const policies = 100;
const peer = "Cerbos CheckResources, gRPC over TLS, 100 policies";

/** Decisions per second of a pdp alone in its process, for a principal and its agent, over gRPC with mTLS. */
export async function pdpCheck(settings: Settings): Promise<Figure> {
  const { folder, remove } = benchFolder();
  const pdp = await startPdp(folder);
  const cerbos = await startCerbos(folder, policies, pdp.tls).catch((error: Error) => ({ skipped: error.message, stop: async () => {} }));
  try {
    const beside = "check" in cerbos ? { Cerbos: cerbos.check } : {};
    const runs = await alternating(settings, { check: pdp.check, ...beside });
    return throughput(
      { name: "pdp.check", peer, skipped: "skipped" in cerbos ? cerbos.skipped : undefined },
      runs.check ?? [],
      runs.Cerbos ?? [],
    );
  } finally {
    await cerbos.stop();
    await pdp.stop();
    remove();
  }
}

async function startPdp(folder: string) {
  const [agents, agentsMtls, peers, edge, ops] = (await freePorts(5)).map(at) as [string, string, string, string, string];
  const configFile = join(folder, "sallyport.yaml");
  writeConfiguration(configFile, nobody(folder), {
    dataDir: join(folder, "data"),
    services: { pdp: { listen: { agents, agentsMtls, peers, edge, ops }, peers: { audit: "127.0.0.1:1", authn: "127.0.0.1:1" } } },
    store: { kind: "file", path: "./data/secrets.jwe", key: "file:./data/keys/file-store.key" },
  });
  writeFileSync(join(folder, "policies", "demo.cedar"), Array.from({ length: policies }, (_, i) => policyFor(i)).join("\n"));
  await mustRun(["init", "-c", configFile]);
  const log = join(folder, "pdp.log");
  const service = startProcess(["start", "pdp", "-c", configFile], log);
  await ready(ops, service.exited, log);
  const keys = join(folder, "data", "keys");
  const read = (name: string) => readFileSync(join(keys, name));
  const ca = read("services-ca.crt");
  const broker = { certificate: read("broker.crt"), key: read("broker.key") };
  const client = rawGrpc(peers, "/sallyport.policy.v1.DecisionService/Check", { ca, client: broker });
  const request = Buffer.from(toBinary(CheckRequestSchema, create(CheckRequestSchema, question())));
  return {
    tls: { ca, key: join(keys, "pdp.key"), certificate: join(keys, "pdp.crt") },
    check: async () => {
      const [answer = new Uint8Array()] = await client.call(request);
      const { decision, sentence } = fromBinary(CheckResponseSchema, answer);
      if (decision !== Decision.ALLOW) throw new Error(`the pdp did not allow what its policy allows: ${sentence}`);
    },
    stop: async () => {
      client.close();
      await service.stop();
    },
  };
}

const policyFor = (i: number) => `@id("team-${i}")
permit (principal in Group::"ci/team-${i}", action == Action::"use", resource in Category::"${i === policies - 1 ? "orders" : `category-${i}`}")
when { context has method && context.method == "GET" };`;

function question() {
  const link = (id: string, kind: LinkKind, sid: string) => ({ id, kind, sessionId: sid.padStart(22, "0") });
  return {
    chain: {
      links: [link("ci/bot", LinkKind.SERVICE, "1"), link("ci/bot#release", LinkKind.AGENT, "2")],
      groups: [`ci/team-${policies - 1}`],
    },
    action: Action.USE,
    secret: "prod/orders/read",
    target: "orders-read",
    context: { method: "GET", path: "/v1/orders/42" },
  };
}
