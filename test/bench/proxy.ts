import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { Action, Agent, Person } from "@sallyport/sdk";
import { type Dispatcher, Pool } from "undici";
import { RawTool } from "../clients/raw-tool.ts";
import { startEmbedded } from "../demo/installation.ts";
import { startIssuer } from "../demo/issuer.ts";
import { Child } from "../support/process/child.ts";
import { until } from "../support/process/port.ts";
import { type Figure, median, rounded, type Settings } from "./figure.ts";
import { benchFolder } from "./installed.ts";
import { alternating } from "./load.ts";

const peer = "a bare Node proxy, TLS on both sides";
const bigBytes = 1_000_000_000;

/** What the proxy adds to a call, and what passes through it in a second, beside what Node alone does in its place. */
export async function proxied(settings: Settings, wanted: ReadonlySet<string>): Promise<Figure[]> {
  const target = await started("target");
  const bare = await started("proxy", String(target.port));
  const site = await installation(target);
  const direct = pool(target.port, () => tls(target.port), settings.concurrency);
  const theirs = pool(target.port, () => tls(bare.port), settings.concurrency);
  const ours = pool(target.port, () => site.tool.to("localhost", target.port), settings.concurrency);
  const call = (through: Pool, path: string) => () => drained(through.request({ method: "GET", path }));
  try {
    const figures: Figure[] = [];
    if (wanted.has("proxy.latency")) {
      // One after the other: what a call costs, not what a queue does.
      const contenders = { ours: call(ours, "/small"), theirs: call(theirs, "/small"), direct: call(direct, "/small") };
      figures.push(latency(await alternating({ ...settings, concurrency: 1 }, contenders)));
    }
    if (wanted.has("proxy.throughput")) {
      const rates: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
      for (let run = 1; run <= settings.runs; run++) {
        rates.ours.push(await rate(call(ours, `/big/${bigBytes}`)));
        rates.theirs.push(await rate(call(theirs, `/big/${bigBytes}`)));
        settings.say(
          `run ${run} of ${settings.runs}: 1 GB at ${rates.ours.at(-1)?.toFixed(0)} MB/s, ${rates.theirs.at(-1)?.toFixed(0)} MB/s beside it`,
        );
      }
      figures.push(throughput(rates));
    }
    return figures;
  } finally {
    await Promise.all([ours, theirs, direct].map((one) => one.destroy()));
    await site.stop();
    await Promise.all([bare.process.stop(), target.process.stop()]);
  }
}

function latency({ ours = [], theirs = [], direct = [] }: Awaited<ReturnType<typeof alternating>>): Figure {
  const added = (runs: typeof ours, part: "p50" | "p99") =>
    rounded(Math.max(0, median(runs.map((run) => run[part])) - median(direct.map((run) => run[part]))));
  const [value, peerValue] = [added(ours, "p50"), added(theirs, "p50")];
  return {
    name: "proxy.latency",
    value,
    unit: "ms",
    p50: rounded(median(ours.map((run) => run.p50))),
    p99: rounded(median(ours.map((run) => run.p99))),
    peer,
    peerValue,
    ratio: peerValue === 0 ? null : rounded(value / peerValue),
    runs: ours.map((run, at) => ({
      value: rounded(run.p50 - (direct[at]?.p50 ?? 0)),
      peerValue: rounded((theirs[at]?.p50 ?? 0) - (direct[at]?.p50 ?? 0)),
    })),
  };
}

function throughput({ ours, theirs }: { ours: readonly number[]; theirs: readonly number[] }): Figure {
  const [value, peerValue] = [rounded(median(ours)), rounded(median(theirs))];
  return {
    name: "proxy.throughput",
    value,
    unit: "MB/s",
    p50: null,
    p99: null,
    peer,
    peerValue,
    ratio: rounded(value / peerValue),
    runs: ours.map((one, at) => ({ value: rounded(one), peerValue: rounded(theirs[at]) })),
  };
}

/** Megabytes a second of one answer of {@link bigBytes}. */
async function rate(call: () => Promise<number>): Promise<number> {
  const began = performance.now();
  const bytes = await call();
  if (bytes !== bigBytes) throw new Error(`${bytes} bytes came of ${bigBytes}`);
  return bytes / 1e3 / (performance.now() - began);
}

async function drained(asked: Promise<Dispatcher.ResponseData>): Promise<number> {
  const { statusCode, body } = await asked;
  let bytes = 0;
  for await (const piece of body) bytes += (piece as Buffer).length;
  if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
  return bytes;
}

/** Kept-alive connections that are opened as told, for requests to the target. */
const pool = (port: number, open: () => Promise<Socket> | Socket, connections: number) =>
  new Pool(`http://localhost:${port}`, {
    connections,
    pipelining: 1,
    bodyTimeout: 0,
    connect: (_options, done) => {
      Promise.resolve(open()).then(
        (socket) => done(null, socket),
        (error) => done(error, null),
      );
    },
  });

const tls = (port: number) => connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });

async function started(...args: string[]) {
  const process_ = await Child.start(process.execPath, [new URL("proxy-target.ts", import.meta.url).pathname, ...args]);
  await until("a server's port", () => process_.output.includes("\n"));
  const { port, cert } = JSON.parse(process_.output.trim().split("\n").at(-1) as string) as { port: number; cert: string };
  return { process: process_, port, cert };
}

async function installation(target: { port: number; cert: string }) {
  const { folder, remove } = benchFolder();
  const [people, workloads] = [await startIssuer(), await startIssuer()];
  const ca = join(folder, "target.pem");
  writeFileSync(ca, target.cert);
  const sallyport = await startEmbedded(
    { state: folder, peopleIssuer: people.url, workloadIssuer: workloads.url, apiUrl: "http://127.0.0.1:1" },
    {
      proxy: {},
      targets: {
        "orders-read": {
          kind: "http",
          baseUrl: `https://localhost:${target.port}`,
          secret: "prod/orders/read",
          inject: { bearer: "token" },
          allow: ["/small", "/big/{bytes}"].map((path) => ({ method: "GET", path })),
          network: ["127.0.0.0/8", "::1/128"],
          maxBodyBytes: 1_073_741_824,
          ca,
        },
      },
    },
  );
  const { endpoints, agentsMtls = "", proxy = "" } = sallyport;
  const keeper = await Person.signIn({
    endpoints,
    idToken: await people.idToken({ subject: "kim", groups: ["secret-keepers"] }, "sallyport"),
  });
  await keeper.session.broker.write({ secret: "prod/orders/read", fields: { token: Buffer.from(randomBytes(24).toString("base64url")) } });
  keeper.close();
  const subjectToken = await workloads.idToken({ subject: "release-bot", groups: ["release-pipelines"], owner: "alice" }, "sallyport");
  const ceiling = { entries: [{ actions: [Action.USE, Action.DELEGATE], secrets: ["prod/orders/*"], targets: ["*"] }] };
  const agent = await Agent.signIn({ endpoints, subjectToken, name: "release", ceiling });
  const tool = await RawTool.start({ proxy, authnMtls: agentsMtls, endpoints }, "tool", agent.session);
  return {
    tool,
    stop: async () => {
      await tool.stop();
      await sallyport.stop();
      await Promise.all([people.stop(), workloads.stop()]);
      remove();
    },
  };
}
