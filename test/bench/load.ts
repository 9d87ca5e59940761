import type { Run, Settings } from "./figure.ts";

/**
 * A closed loop: so many calls in flight, each followed by the next as soon as it ends. The first half second is thrown away.
 * @throws what the first call that fails throws: a failed call is not a figure
 */
export async function load(call: () => Promise<unknown>, { seconds, concurrency }: Settings): Promise<Run> {
  const began = performance.now();
  const from = began + Math.min(500, seconds * 250);
  const until = from + seconds * 1000;
  const took: number[] = [];
  const loop = async () => {
    for (let start = began; start < until; ) {
      await call();
      const end = performance.now();
      if (start >= from && end <= until) took.push(end - start);
      start = end;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  if (took.length === 0) throw new Error(`not one call ended within ${seconds} s`);
  took.sort((a, b) => a - b);
  const at = (part: number) => took[Math.min(took.length - 1, Math.floor(took.length * part))] as number;
  return { perSecond: took.length / seconds, p50: at(0.5), p99: at(0.99) };
}

/** Ours, theirs, ours, theirs, …: what else the machine does meanwhile falls on all alike. */
export async function alternating(
  settings: Settings,
  contenders: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<Record<string, Run[]>> {
  const runs: Record<string, Run[]> = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (const [name, call] of Object.entries(contenders)) {
    if (settings.warmUp > 0) await load(call, { ...settings, seconds: settings.warmUp });
    settings.say(`${name} is warm`);
  }
  for (let run = 1; run <= settings.runs; run++) {
    for (const [name, call] of Object.entries(contenders)) {
      const done = await load(call, settings);
      runs[name]?.push(done);
      settings.say(
        `run ${run} of ${settings.runs}: ${name} ${done.perSecond.toFixed(0)}/s, p50 ${done.p50.toFixed(1)} ms, p99 ${done.p99.toFixed(1)} ms`,
      );
    }
  }
  return runs;
}
