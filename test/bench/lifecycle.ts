import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeConfiguration } from "../demo/configuration.ts";
import { freePorts } from "../demo/free-port.ts";
import { at, ready } from "../demo/installation.ts";
import { mustRun, startProcess } from "../demo/process.ts";
import { residentMegabytes } from "../support/process/resident.ts";
import { type Figure, median, rounded, type Settings } from "./figure.ts";
import { benchFolder, nobody } from "./installed.ts";

const idleAfterMs = 3000;

/** Seconds from the process's start until it serves, and what it holds once it has nothing to do: all four services in it. */
export async function lifecycle({ runs, say }: Settings, wanted: ReadonlySet<string>): Promise<Figure[]> {
  const { folder, remove } = benchFolder();
  try {
    const [agents, agentsMtls, peers, edge, ops] = (await freePorts(5)).map(at) as [string, string, string, string, string];
    const configFile = join(folder, "sallyport.yaml");
    writeConfiguration(configFile, nobody(folder), {
      dataDir: join(folder, "data"),
      state: "sqlite",
      listen: { agents, agentsMtls, peers, edge, ops },
      store: { kind: "file", path: "./data/secrets.jwe", key: "file:./data/keys/file-store.key" },
    });
    await mustRun(["init", "-c", configFile]);
    const seconds: number[] = [];
    const megabytes: number[] = [];
    for (let run = 1; run <= runs; run++) {
      const began = performance.now();
      const log = join(folder, "sallyport.log");
      const service = startProcess(["start", "-c", configFile], log);
      await ready(ops, service.exited, log);
      seconds.push((performance.now() - began) / 1000);
      if (wanted.has("idle")) {
        await sleep(idleAfterMs);
        megabytes.push(residentMegabytes(service.child.pid as number));
      }
      await service.stop();
      say(
        `run ${run} of ${runs}: serving after ${seconds.at(-1)?.toFixed(2)} s${wanted.has("idle") ? `, idle at ${megabytes.at(-1)?.toFixed(0)} MB` : ""}`,
      );
    }
    return [
      ...(wanted.has("start") ? [alone("start", "s", seconds)] : []),
      ...(wanted.has("idle") ? [alone("idle", "MB", megabytes)] : []),
    ];
  } finally {
    remove();
  }
}

function alone(name: string, unit: Figure["unit"], values: readonly number[]): Figure {
  const nothing = { p50: null, p99: null, peer: null, peerValue: null, ratio: null };
  return {
    name,
    value: rounded(median(values)),
    unit,
    ...nothing,
    runs: values.map((value) => ({ value: rounded(value), peerValue: null })),
  };
}
