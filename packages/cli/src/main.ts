import { Refusal, reasons } from "@sallyport/contracts";
import { Command, CommanderError } from "commander";
import { version } from "./version.ts";

/** The commands, each loaded when it is called for: most of them need none of the others' libraries. */
const commands: Record<string, () => Promise<Command>> = {
  init: async () => (await import("./commands/init.ts")).initCommand(),
  start: async () => (await import("./commands/start.ts")).startCommand(),
  config: async () => (await import("./commands/config.ts")).configCommand(),
  connections: async () => (await import("./commands/connections.ts")).connectionsCommand(),
  login: async () => (await import("./commands/login.ts")).loginCommand(),
  logout: async () => (await import("./commands/logout.ts")).logoutCommand(),
  whoami: async () => (await import("./commands/whoami.ts")).whoamiCommand(),
  delegate: async () => (await import("./commands/delegate.ts")).delegateCommand(),
  run: async () => (await import("./commands/run.ts")).runCommand(),
  secrets: async () => (await import("./commands/secrets.ts")).secretsCommand(),
  use: async () => (await import("./commands/use.ts")).useCommand(),
  request: async () => (await import("./commands/request.ts")).requestCommand(),
  reviews: async () => (await import("./commands/reviews.ts")).reviewsCommand(),
  sessions: async () => (await import("./commands/sessions.ts")).sessionsCommand(),
  revoke: async () => (await import("./commands/revoke.ts")).revokeCommand(),
  keys: async () => (await import("./commands/keys.ts")).keysCommand(),
  policy: async () => (await import("./commands/policy.ts")).policyCommand(),
  audit: async () => (await import("./commands/audit.ts")).auditCommand(),
};

/**
 * Runs the command line.
 *
 * @returns the exit code: 0 done, 1 failure, 2 usage, 3 denied, 4 not signed in, 5 waiting for approval, 6 expired or revoked, 7 unavailable
 */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("sallyport")
    .description("The gateway between nested AI agents and the secrets they use")
    .version(version)
    .exitOverride()
    .enablePositionalOptions();
  const named = argv[2] !== undefined && Object.hasOwn(commands, argv[2]) ? commands[argv[2]] : undefined;
  for (const load of named === undefined ? Object.values(commands) : [named]) program.addCommand(await load());
  for (const command of program.commands) override(command);
  try {
    await program.parseAsync(argv as string[]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return failed(error, asksForJson(argv));
  }
}

/** Read from the words themselves: the error may be that they could not be parsed. */
const asksForJson = (argv: readonly string[]): boolean =>
  argv.some(
    (word, index) => /^(-o|--output)=?jsonl?$/.test(word) || (/^(-o|--output)$/.test(argv[index - 1] ?? "") && /^jsonl?$/.test(word)),
  );

function override(command: Command): void {
  command.exitOverride();
  for (const sub of command.commands) override(sub);
}

function failed(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Refusal) {
    const { reason, message, metadata } = error;
    process.stderr.write(json ? `${JSON.stringify({ error: { reason, message, metadata } })}\n` : `${reason}: ${message}\n`);
    return reasons[error.reason].exit;
  }
  if (error instanceof Error && ["ConfigError", "StartError"].includes(error.name)) {
    process.stderr.write(`${error.message}\n`);
    return error.name === "ConfigError" ? 2 : 1;
  }
  process.stderr.write(`sallyport failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}
