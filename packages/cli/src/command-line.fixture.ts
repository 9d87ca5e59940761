import { join } from "node:path";
import { PassThrough } from "node:stream";
import { BrokerService, DelegationService, ReviewService, RevocationService, RosterService, TokenService } from "@sallyport/contracts";
import { formatAddress } from "@sallyport/service";
import { TestInstallation } from "../../service/src/process/process.fixture.ts";
import { main } from "./main.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process. @param stdin what it reads; left out: a terminal, at which `typed` is typed */
export async function sallyport(args: readonly string[], stdin?: string | Uint8Array, typed = ""): Promise<Ran> {
  const written = { stdout: "", stderr: "" };
  const originals = {
    stdin: Object.getOwnPropertyDescriptor(process, "stdin"),
    stdout: process.stdout.write,
    stderr: process.stderr.write,
  };
  const input = Object.assign(new PassThrough(), { isTTY: stdin === undefined });
  input.end(stdin ?? typed);
  Object.defineProperty(process, "stdin", { value: input, configurable: true });
  for (const name of ["stdout", "stderr"] as const) {
    process[name].write = ((piece: string | Uint8Array) => {
      written[name] += Buffer.from(piece as Uint8Array).toString("utf8");
      return true;
    }) as typeof process.stdout.write;
  }
  try {
    return { code: await main(["node", "sallyport", ...args]), ...written };
  } finally {
    Object.assign(process.stdout, { write: originals.stdout });
    Object.assign(process.stderr, { write: originals.stderr });
    if (originals.stdin !== undefined) Object.defineProperty(process, "stdin", originals.stdin);
    process.exitCode = undefined;
  }
}

/** What a fake service answers a method with; it keeps what it was asked. */
// biome-ignore lint/suspicious/noExplicitAny: each spec knows the messages of the methods that it answers
export type Answers = Record<string, (request: any) => any>;

/** Fake services behind a real door, with TLS, that answer as a spec says; a credential is taken as it comes. */
export class FakeInstallation {
  readonly home: string;
  readonly where: readonly string[];
  readonly answers: Answers = {};
  /** Every request, by method name, in order. */
  readonly asked: [string, unknown][] = [];
  readonly #installation: TestInstallation;

  private constructor(installation: TestInstallation) {
    this.#installation = installation;
    this.home = join(installation.dataDir, "home");
    this.where = [];
  }

  static async start(): Promise<FakeInstallation> {
    const installation = await TestInstallation.create();
    const fake = new FakeInstallation(installation);
    const running = await installation.run({
      authn: ({ listeners }) => {
        for (const service of [TokenService, DelegationService, RevocationService, RosterService, BrokerService, ReviewService]) {
          const handlers = service.methods.map((method) => [
            method.localName,
            method.methodKind === "unary" ? fake.#once(method.localName) : fake.#many(method.localName),
          ]);
          listeners.agents.serve(service, Object.fromEntries(handlers));
        }
      },
    });
    const address = formatAddress(running.addresses.agents ?? { host: "none", port: 0 });
    const ca = join(installation.dataDir, "keys", "services-ca.crt");
    Object.assign(fake, { where: ["--authn", address, "--audience", "https://test.internal", "--ca", ca] });
    process.env.SALLYPORT_HOME = fake.home;
    // Whoever runs the tests may have a keyring of their own.
    process.env.SALLYPORT_KEEP = "file";
    return fake;
  }

  async stop(): Promise<void> {
    delete process.env.SALLYPORT_HOME;
    delete process.env.SALLYPORT_KEEP;
    await this.#installation.end();
  }

  #once = (name: string) => async (request: unknown) => this.#answer(name, request);

  #many = (name: string) => {
    const answer = (request: unknown) => this.#answer(name, request);
    return async function* (request: unknown) {
      yield* answer(request) as Iterable<object>;
    };
  };

  #answer(name: string, request: unknown): object {
    this.asked.push([name, request]);
    const answer = this.answers[name];
    if (answer === undefined) throw new Error(`the spec has no answer to ${name}`);
    return answer(request);
  }
}
