import { type ChildProcess, spawn } from "node:child_process";
import { cli, plain, printed, type Ran } from "../demo/process.ts";

/** `sallyport login` as it runs: what it has printed so far, and how it ends. */
export class Login {
  readonly ended: Promise<Ran>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";
  #onText: () => void = () => {};

  constructor(args: readonly string[], env: Record<string, string>) {
    this.#child = spawn(process.execPath, [cli, "login", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...plain, ...env },
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text) => (this.#stdout += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.#stderr += text;
      this.#onText();
    });
    this.ended = new Promise((resolve) => {
      this.#child.on("close", (code) => {
        printed.push(this.#stdout, this.#stderr);
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it says to the person, once it does. @throws where it ends before */
  async says(what: RegExp): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#onText = () => {
      const found = what.exec(this.#stderr);
      if (found !== null) resolve(found[1] ?? found[0]);
    };
    this.#onText();
    void this.ended.then(({ code, stderr }) => reject(new Error(`sallyport login ended with ${code} and never said ${what}: ${stderr}`)));
    return promise;
  }

  /** Its standard output, parsed. @throws unless it ends well */
  // biome-ignore lint/suspicious/noExplicitAny: each test reads its own parts
  async answer(): Promise<any> {
    const { code, stdout, stderr } = await this.ended;
    if (code !== 0) throw new Error(`sallyport login ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** Where the person never comes back. */
  stop(): void {
    this.#child.kill();
  }
}
