import { Action, type CeilingInit } from "@sallyport/sdk";
import { mustRun } from "../demo/process.ts";
import { Puppets } from "../demo/puppet.ts";

/** Five agents, each started by the one before, and the most that each may do: less and less. */
const agents = [
  { name: "release", actions: [Action.LIST, Action.READ, Action.USE, Action.DELEGATE], secrets: ["prod/orders/*"], targets: ["*"] },
  { name: "deploy", actions: [Action.READ, Action.USE, Action.DELEGATE], secrets: ["prod/orders/*"], targets: ["*"] },
  { name: "migrate", actions: [Action.USE, Action.DELEGATE], secrets: ["prod/orders/*"], targets: ["orders-read"] },
  { name: "check", actions: [Action.USE, Action.DELEGATE], secrets: ["prod/orders/read"], targets: ["orders-read"] },
  { name: "report", actions: [Action.USE], secrets: ["prod/orders/read"], targets: ["orders-read"] },
] as const;

const [first, ...below] = agents;
const path = below.map(({ name }) => name);

/** The ids of a chain that this person began, from the person to the last agent. */
export const chainIds = (person: string): string[] => {
  const names = agents.map(({ name }) => name);
  return [person, ...names.map((_, at) => `${person}#${names.slice(0, at + 1).join("/")}`)];
};

/** How a person starts the first agent, by the thumbprint that its process told. */
export const delegateArgs = (thumbprint: string): string[] => [
  ...["delegate", "--name", first.name, "--thumbprint", thumbprint],
  ...["list", "read", "use", "delegate"].flatMap((action) => ["--action", action]),
  ...["--secret", "prod/orders/*", "--target", "*"],
];

/** Five processes, each with a key of its own that never leaves it. */
export class FiveAgents {
  readonly #puppets: Puppets;

  private constructor(puppets: Puppets) {
    this.#puppets = puppets;
  }

  /** Started by the person whose sign-in the command line remembers in `env`'s profile. */
  static async start(env: Record<string, string>): Promise<FiveAgents> {
    const puppets = Puppets.enrolling(async (thumbprint) => (await mustRun(delegateArgs(thumbprint), { env })).trim());
    const started = new FiveAgents(puppets);
    try {
      await puppets.ready();
      for (const [at, { name, actions, secrets, targets }] of below.entries()) {
        const ceiling: CeilingInit = { entries: [{ actions: [...actions], secrets: [...secrets], targets: [...targets] }] };
        await started.#told(path.slice(0, at), "spawn", { name, ceiling });
      }
      return started;
    } catch (error) {
      started.stop();
      throw error;
    }
  }

  /** The last of them has the broker use the secret. @returns the masked answer */
  async use(order: string): Promise<{ status: number; text: string; eventUid: string }> {
    return (await this.#told(path, "use", { target: "orders-read", path: order })) as { status: number; text: string; eventUid: string };
  }

  stop(): void {
    this.#puppets.stop();
  }

  async #told(to: readonly string[], action: string, args: object): Promise<unknown> {
    const outcome = await this.#puppets.tell(to, action, args);
    if (!outcome.ok) throw new Error(`${action} was refused to ${["release", ...to].join("/")}: ${outcome.reason} ${outcome.sentence}`);
    return outcome.result;
  }
}
