import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, type DescMethod, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ChannelCredentials } from "@grpc/grpc-js";
import { Action, Refusal } from "@sallyport/contracts";
import type { ProofMaker } from "@sallyport/identity";
import { type CallOptions, GrpcChannel } from "@sallyport/service";
import { parse } from "yaml";
import { startEmbedded } from "../../demo/installation.ts";
import { startIssuer } from "../../demo/issuer.ts";
import { isSkipped, redis } from "../../support/servers.ts";
import { benchFolder } from "../installed.ts";

/** What every agent of these benchmarks may do. */
export const ceiling = { entries: [{ actions: [Action.USE, Action.DELEGATE], secrets: ["prod/orders/*"], targets: ["orders-read"] }] };

/** authn with the other services in one process, its state in Redis where there is one, and limits that a benchmark does not meet. */
export async function installedAuthn() {
  const { folder, remove } = benchFolder();
  const [people, workloads] = [await startIssuer(), await startIssuer()];
  const cache = await redis({ own: true });
  const world = { state: folder, peopleIssuer: people.url, workloadIssuer: workloads.url, apiUrl: "http://127.0.0.1:3" };
  const sallyport = await startEmbedded(world, {
    authn: { maxChildren: 10_000, ticketsPerMinute: 100_000 },
    ...(isSkipped(cache) ? {} : { state: cache.address }),
  });
  const { listen, dataDir } = parse(readFileSync(sallyport.configFile, "utf8")) as { listen: Record<string, string>; dataDir: string };
  const { endpoints } = sallyport;
  const { audience } = endpoints;
  const options = { "grpc.ssl_target_name_override": "localhost" };
  const channel = new GrpcChannel(endpoints.authn, { credentials: ChannelCredentials.createSsl(Buffer.from(endpoints.ca ?? "")), options });

  /** A call with a proof; again with the nonce that a refusal gives. */
  async function proven<M extends DescMethod>(
    method: M,
    maker: ProofMaker,
    input: MessageInitShape<M["input"]>,
    credential?: string,
  ): Promise<MessageShape<M["output"]>> {
    const client = channel.client(method.parent) as unknown as Record<
      string,
      (input: unknown, options: CallOptions) => Promise<MessageShape<M["output"]>>
    >;
    const request = toBinary(method.input, create(method.input, input));
    for (let tries = 0; ; tries++) {
      const dpop = maker.prove({ htu: `${audience}/${method.parent.typeName}/${method.name}`, request, credential });
      const headers = { dpop, ...(credential === undefined ? {} : { authorization: `DPoP ${credential}` }) };
      try {
        return await (client[method.localName] as NonNullable<(typeof client)[string]>)(input, { headers });
      } catch (error) {
        if (!(error instanceof Refusal) || error.reason !== "PROOF_REQUIRED" || tries > 0) throw error;
        maker.remember(error.metadata["dpop-nonce"] ?? "");
      }
    }
  }

  return {
    audience,
    state: isSkipped(cache) ? "SQLite" : "Redis",
    edge: `http://${listen.edge}`,
    peers: listen.peers as string,
    keys: (name: string) => readFileSync(join(dataDir, "keys", name)),
    dataDir,
    proven,
    workloadToken: (subject: string) => workloads.idToken({ subject, groups: ["release-pipelines"], owner: "alice" }, "sallyport"),
    stop: async () => {
      channel.close();
      await sallyport.stop();
      await Promise.all([people.stop(), workloads.stop(), isSkipped(cache) ? undefined : cache.stop()]);
      remove();
    },
  };
}

export type InstalledAuthn = Awaited<ReturnType<typeof installedAuthn>>;
