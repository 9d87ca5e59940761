import { Pool } from "undici";
import { type Figure, median, rounded, type Settings } from "./figure.ts";
import { installed } from "./installed.ts";
import { alternating } from "./load.ts";
import { useByCertificate } from "./use-by.ts";

/**
 * What a use takes longer than the same request that goes straight to the target, one call at a time: milliseconds at the median, with
 * the store's cache and without it.
 */
export async function brokerOverhead(settings: Settings): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const store of ["cached", "asked"] as const) {
    const sallyport = await installed({ cacheSeconds: store === "cached" ? 60 : 0 });
    const agent = await useByCertificate(sallyport, 3);
    const straight = new Pool(sallyport.target.url, { connections: 1, pipelining: 1, connect: { ca: sallyport.target.ca } });
    const request = async () => {
      const { body } = await straight.request({ method: "GET", path: "/v1/orders/42" });
      await body.text();
    };
    try {
      const runs = await alternating({ ...settings, concurrency: 1 }, { use: agent.use, straight: request });
      const [through = [], past = []] = [runs.use, runs.straight];
      const [p50, peerValue] = [median(through.map((run) => run.p50)), median(past.map((run) => run.p50))];
      figures.push({
        name: "broker.overhead",
        depth: 3,
        binding: "mtls",
        store,
        value: rounded(p50 - peerValue),
        unit: "ms",
        p50: rounded(p50),
        p99: rounded(median(through.map((run) => run.p99))),
        peer: "the same request, straight to the target",
        peerValue: rounded(peerValue),
        ratio: rounded(p50 / peerValue),
        runs: through.map((run, i) => ({ value: rounded(run.p50), peerValue: rounded(past[i]?.p50) })),
      });
    } finally {
      agent.close();
      await straight.close();
      await sallyport.stop();
    }
  }
  return figures;
}
