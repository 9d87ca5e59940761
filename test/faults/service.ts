import { ready } from "../demo/installation.ts";
import { startProcess } from "../demo/process.ts";
import { residentMegabytes } from "../support/process/resident.ts";

/** Four processes may start at once on a machine that has more to do. */
const startSeconds = 90;

/** One process of an installation under test: it can be killed as by a power cut, frozen, and started again where it was. */
export class Service {
  readonly logFile: string;
  readonly #args: readonly string[];
  readonly #ops: string;
  #running: ReturnType<typeof startProcess> | undefined;

  constructor(args: readonly string[], { ops, logFile }: { ops: string; logFile: string }) {
    this.#args = args;
    this.#ops = ops;
    this.logFile = logFile;
  }

  /** Launches it; {@link Service.ready} says when it serves. @param clockOffMs how far its wall clock is ahead */
  launch(clockOffMs = 0): void {
    this.#running = startProcess(this.#args, this.logFile, clockOffMs === 0 ? {} : clockOff(clockOffMs));
  }

  async ready(): Promise<void> {
    if (this.#running !== undefined) await ready(this.#ops, this.#running.exited, this.logFile, startSeconds);
  }

  async start(clockOffMs = 0): Promise<void> {
    this.launch(clockOffMs);
    await this.ready();
  }

  async restart(clockOffMs = 0): Promise<void> {
    await this.stop();
    await this.start(clockOffMs);
  }

  async kill(): Promise<void> {
    this.#running?.child.kill("SIGKILL");
    await this.#running?.exited;
  }

  freeze(): void {
    this.#running?.child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#running?.child.kill("SIGCONT");
  }

  /** Whether it says that it can do its work. */
  async serves(): Promise<boolean> {
    return fetch(`http://${this.#ops}/readyz`, { signal: AbortSignal.timeout(500) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  /** What operators see: status of each page, and what the one on readiness says. */
  async pages(): Promise<{ healthz: number; metrics: number; readyz: { status: number; text: string } }> {
    const page = (name: string) => fetch(`http://${this.#ops}/${name}`, { signal: AbortSignal.timeout(2_000) });
    const [healthz, metrics, readyz] = await Promise.all([page("healthz"), page("metrics"), page("readyz")]);
    return { healthz: healthz.status, metrics: metrics.status, readyz: { status: readyz.status, text: await readyz.text() } };
  }

  metrics(): Promise<string> {
    return fetch(`http://${this.#ops}/metrics`).then((answer) => answer.text());
  }

  /** 10⁶ bytes of memory (RSS) that the process holds. */
  residentMegabytes(): number {
    return residentMegabytes(this.#running?.child.pid as number);
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.#running?.stop();
  }
}

const clockOff = (ms: number) => ({
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import ${new URL("clock-off.mjs", import.meta.url)}`.trim(),
  SALLYPORT_TEST_CLOCK_OFF_MS: `${ms}`,
});
