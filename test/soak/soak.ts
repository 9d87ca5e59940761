import { setTimeout as sleep } from "node:timers/promises";
import { Session } from "@sallyport/sdk";
import { readTopic } from "../demo/kafka-topic.ts";
import { printed, sallyport } from "../demo/process.ts";
import { completeUses, effectProblems } from "../faults/effects.ts";
import { logLines } from "../faults/evidence-log.ts";
import { seeded } from "../support/random.ts";
import { Answers } from "./answers.ts";
import { drawn, type Fault, faultsOf } from "./faults.ts";
import { type RealServers, type SoakSite, startSoakSite } from "./installation.ts";
import { leaksBelow, leaksIn } from "./leaks.ts";
import { Load, pinned } from "./load.ts";
import { enrolAgents, inTurns, type Worker } from "./population.ts";
import type { Report, SufferedFault } from "./report.ts";
import type { SoakSettings } from "./settings.ts";
import { startSpanSink } from "./span-sink.ts";
import { Timeline } from "./timeline.ts";

/** How long a part is gone before it is started again. */
const [leastDownMs, mostDownMs] = [300, 3_000];
/** Longest until a use succeeds again at each broker, from when the part is back. */
const recoveryMs = 60_000;

/**
 * Agents in trees use a secret over two brokers on real servers, whose parts are killed one after the other; then everything that was
 * written, printed, exported and answered is looked through for the secret, and what the target saw is held against what is on record.
 */
export async function soak(settings: SoakSettings, servers: RealServers, say: (text: string) => void): Promise<Report> {
  const random = seeded(settings.seed);
  const canary = canaryOf(settings.seed);
  const spans = await startSpanSink(canary);
  try {
    const soaked = await startSoakSite(servers, canary, spans.url);
    let report: Report;
    try {
      say(`seed ${settings.seed}; two brokers, authn, pdp and audit serve`);
      report = await workAndJudge(settings, servers, soaked, { canary, random, spans, say });
    } finally {
      await soaked.stop();
    }
    return report;
  } finally {
    await spans.stop();
  }
}

interface Means {
  readonly canary: string;
  readonly random: () => number;
  readonly spans: Awaited<ReturnType<typeof startSpanSink>>;
  readonly say: (text: string) => void;
}

async function workAndJudge(settings: SoakSettings, servers: RealServers, soaked: SoakSite, means: Means): Promise<Report> {
  const { canary, random, spans, say } = means;
  const { site } = soaked;
  const enrolling = performance.now();
  const workers = await enrolAgents(soaked, settings);
  say(`${workers.length} agents in ${settings.trees} trees are enrolled after ${seconds(performance.now() - enrolling)}`);
  const answers = new Answers(canary);
  const timeline = new Timeline();
  const load = new Load(timeline, answers, random);
  const probes = [site.endpoints.broker, site.secondBroker.agents].map((broker) => pinned((workers[0] as Worker).agent, broker, Session));
  try {
    const working = load.work(workers, settings.rate);
    let faults: SufferedFault[];
    try {
      faults = await suffer(settings, drawn(faultsOf(soaked, servers), random), { timeline, random, load, probes, say });
    } finally {
      load.end();
      await working;
    }
    const lasting = timeline.seconds();
    const total = timeline.total();
    say(`${total.done} uses succeeded, ${sum(Object.values(total.refused))} were refused; each agent goes once more`);
    const last = await inTurns(workers.length, async (index) => lastUse((workers[index] as Worker).agent.session, load));
    const problems = [
      ...load.unexpected,
      ...faults
        .filter(({ recoveredMs }) => recoveredMs === null)
        .map(({ name, at }) => `no use succeeded within ${recoveryMs} ms after ${name} at ${at} s`),
      ...last.flatMap((outcome, index) => (outcome === "done" ? [] : [`${workers[index]?.agent.id} could not go on: ${outcome}`])),
    ];
    // What readers of the pages see is among what must not hold it.
    for (const service of [...Object.values(site.services), site.secondBroker.service])
      answers.text("its pages", `${await service.metrics()}${(await service.pages()).readyz.text}`);
    say("reading the evidence");
    const uses = await completeUses({ log: site.log, served: site.api.served });
    problems.push(...effectProblems(site.api.served, uses, load.succeeded));
    const verified = await sallyport(["audit", "verify", "--log", site.log]);
    if (verified.code !== 0) problems.push(`audit verify ended with ${verified.code}: ${verified.stderr}`);
    const before = logLines(site.log).length;
    const { lines, resends } = await readTopic(servers.kafka.address, soaked.topic);
    // A service may have more to say meanwhile, such as how many calls it refused.
    const logged = logLines(site.log);
    if (lines.length < before || lines.some((line, index) => line !== logged[index]))
      problems.push(`Kafka holds ${lines.length} records that are not the log's ${logged.length}`);
    say("looking for the secret");
    answers.scanThoroughly();
    const files = [site.folder, servers.redis.folder, servers.kafka.folder, servers.openbao.folder].map((folder) =>
      leaksBelow(folder, canary),
    );
    const output = [...printed, servers.redis.output(), servers.kafka.output(), servers.openbao.output()].join("\n");
    const leaks = [...answers.leaks, ...spans.leaks, ...files.flatMap((found) => found.leaks), ...leaksIn(Buffer.from(output), canary)];
    return {
      settings,
      seconds: lasting,
      total,
      faults,
      problems,
      leaks,
      served: site.api.served.length,
      recorded: uses.length,
      unknown: uses.filter(({ outcomes }) => outcomes[0]?.status_id === 0).length,
      evidence: logged.length,
      resends,
      scanned: {
        answers: answers.scanned,
        differentAnswers: answers.different,
        files: sum(files.map((found) => found.files)),
        bytes: sum(files.map((found) => found.bytes)),
        spanBytes: spans.bytes,
      },
    };
  } finally {
    for (const probe of probes) probe.close();
    for (const { agent } of workers) agent.close();
  }
}

interface Suffering {
  readonly timeline: Timeline;
  readonly random: () => number;
  readonly load: Load;
  readonly probes: readonly Session[];
  readonly say: (text: string) => void;
}

/** Has one fault after the other befall the installation until the time is over, and waits out each until uses succeed again. */
async function suffer(
  settings: SoakSettings,
  faults: Iterator<Fault>,
  { timeline, random, load, probes, say }: Suffering,
): Promise<SufferedFault[]> {
  const suffered: SufferedFault[] = [];
  for (let next = settings.faultEvery / 2; next < settings.seconds; next = Math.max(next + settings.faultEvery, timeline.now())) {
    await sleep(Math.max(0, next - timeline.now()) * 1000);
    const fault = faults.next().value as Fault;
    const at = timeline.now();
    await fault.befall(leastDownMs + random() * (mostDownMs - leastDownMs));
    const backAt = timeline.now();
    const recovered = await Promise.all(probes.map((probe) => recoveredIn(probe, load)));
    const recoveredMs = recovered.includes(undefined) ? null : Math.round(Math.max(...(recovered as number[])));
    suffered.push({ name: fault.name, at: rounded(at), backAt: rounded(backAt), recoveredMs });
    say(
      `${at.toFixed(0)} s: ${fault.name}, back after ${(backAt - at).toFixed(1)} s, ${recoveredMs === null ? "not recovered" : `recovered in another ${recoveredMs} ms`}`,
    );
  }
  await sleep(Math.max(0, settings.seconds - timeline.now()) * 1000);
  return suffered;
}

/** Milliseconds until a use succeeds; undefined where none does in time. */
async function recoveredIn(probe: Session, load: Load): Promise<number | undefined> {
  const began = performance.now();
  while ((await load.use(probe)) !== "done") {
    if (performance.now() - began > recoveryMs) return undefined;
    await sleep(50);
  }
  return performance.now() - began;
}

/** All agents go at once now, on a machine that may have more to do: one that is told to wait tries again. */
async function lastUse(session: Session, load: Load): Promise<string> {
  for (let tries = 1; ; tries++) {
    const outcome = await load.use(session);
    if (outcome === "done" || tries === 5) return outcome;
    await sleep(200);
  }
}

/** Not to be guessed from outside, and the same for the same seed. */
function canaryOf(seed: number): string {
  const random = seeded(seed ^ 0x5eed);
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return `${Array.from({ length: 40 }, () => letters[Math.floor(random() * letters.length)]).join("")}/+x`;
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const rounded = (value: number) => Number(value.toFixed(1));
