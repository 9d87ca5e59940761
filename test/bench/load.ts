import { setTimeout as sleep } from "node:timers/promises";
import type { Run, Settings } from "./figure.ts";

/** Times that a run is tried. */
const maxTries = 4;

/**
 * A closed loop: so many calls in flight, each followed by the next as soon as it ends. The first half second is thrown away.
 * A run in which none ends goes on until one does.
 * @throws what the first call that fails throws: a failed call is not a figure
 */
async function load(call: () => Promise<unknown>, { seconds, concurrency }: Settings): Promise<Run> {
  const began = performance.now();
  const from = began + Math.min(500, seconds * 250);
  const until = from + seconds * 1000;
  const took: number[] = [];
  let last = until;
  let failed = false;
  const loop = async () => {
    for (let start = began; !failed && (start < until || took.length === 0); ) {
      await call();
      const end = performance.now();
      if (start >= from && (end <= until || took.length === 0)) {
        took.push(end - start);
        last = Math.max(last, end);
      }
      start = end;
    }
  };
  const loops = Array.from({ length: concurrency }, () =>
    loop().catch((error) => {
      failed = true;
      throw error;
    }),
  );
  const ended = await Promise.allSettled(loops);
  for (const each of ended) if (each.status === "rejected") throw each.reason;
  took.sort((a, b) => a - b);
  const at = (part: number) => took[Math.min(took.length - 1, Math.floor(took.length * part))] as number;
  return { perSecond: took.length / ((last - from) / 1000), p50: at(0.5), p99: at(0.99) };
}

/** A run in which every call succeeds: refusals are never counted as fast answers. On a busy machine a lease may be lost, so it is tried again. */
async function whole(call: () => Promise<unknown>, settings: Settings): Promise<Run> {
  for (let tries = 1; ; tries++) {
    try {
      return await load(call, settings);
    } catch (error) {
      if (tries === maxTries) throw error;
      settings.say(`a call failed, so this run does not count and is done again: ${(error as Error).message}`);
      await sleep(2000);
    }
  }
}

/** What counts as faster, and how long anybody is waited for, at least and at most. */
const warm = { gain: 1.05, leastMs: 25_000, mostMs: 90_000 };

/** Calls until that gets no faster, from one stretch to the next: for what runs on a compiler that takes its time. */
export async function warmed(name: string, call: () => Promise<unknown>, settings: Settings): Promise<void> {
  if (settings.warmUp === 0) return;
  const began = performance.now();
  const elapsed = () => performance.now() - began;
  let best = 0;
  for (let perSecond = 1; elapsed() < warm.leastMs || (perSecond > best * warm.gain && elapsed() < warm.mostMs); ) {
    best = Math.max(best, perSecond);
    ({ perSecond } = await whole(call, { ...settings, seconds: Math.max(settings.warmUp, 5) }));
    settings.say(`${name} warms up: ${perSecond.toFixed(0)}/s`);
  }
}

/** Ours, theirs, ours, theirs, …: what else the machine does meanwhile falls on all alike. */
export async function alternating(
  settings: Settings,
  contenders: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<Record<string, Run[]>> {
  const runs: Record<string, Run[]> = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (const [name, call] of Object.entries(contenders)) {
    if (settings.warmUp > 0) await whole(call, { ...settings, seconds: settings.warmUp });
    settings.say(`${name} is warm`);
  }
  for (let run = 1; run <= settings.runs; run++) {
    for (const [name, call] of Object.entries(contenders)) {
      const done = await whole(call, settings);
      runs[name]?.push(done);
      settings.say(
        `run ${run} of ${settings.runs}: ${name} ${done.perSecond.toFixed(0)}/s, p50 ${done.p50.toFixed(1)} ms, p99 ${done.p99.toFixed(1)} ms`,
      );
    }
  }
  return runs;
}
