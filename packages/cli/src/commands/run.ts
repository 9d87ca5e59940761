import { basename } from "node:path";
import { Action, Refusal } from "@sallyport/contracts";
import type { CeilingInit, Session } from "@sallyport/sdk";
import { Command, Option } from "commander";
import { type CeilingOptions, ceilingOf, isCeilingNamed, withCeilingOptions } from "../input/ceiling.ts";
import { profileOption } from "../profile/profile-option.ts";
import { withProfile } from "../profile/with-profile.ts";
import type { DoorOptions } from "./run/doors.ts";

type Options = CeilingOptions & DoorOptions & { name?: string; sharedUser?: true; profile: string; insideNamespace?: true };

/** `sallyport run -- CMD`: CMD as a nested agent that holds neither key nor credential, with this process as its only way out. */
export function runCommand(): Command {
  const command = new Command("run")
    .description(
      "start an unmodified tool as a nested agent: its HTTP goes through the broker, which uses secrets for it and masks what comes back",
    )
    .argument("<command...>", "the tool and its arguments, after --")
    .option("--name <name>", "the nested agent's name; left out, the tool's");
  return withCeilingOptions(command)
    .option("--shared-user", "without a network namespace: every process of this user can then act as the tool (docs/clients/README.md)")
    .option(
      "-c, --config <file>",
      "the configuration of an installation on this machine, for where its doors are; left out, ./sallyport.yaml",
    )
    .addOption(new Option("--proxy <host:port>", "the broker's proxy; left out, port 7481 of the broker's host").env("SALLYPORT_PROXY"))
    .addOption(
      new Option("--authn-mtls <host:port>", "authn's listener for client certificates; left out, port 7444 of authn's host").env(
        "SALLYPORT_AUTHN_MTLS",
      ),
    )
    .addOption(profileOption())
    .addOption(new Option("--inside-namespace").hideHelp())
    .passThroughOptions()
    .action(async ([tool = "", ...args]: string[], options: Options) => {
      if (options.insideNamespace === true) {
        const { startInside } = await import("./run/inside.ts");
        process.exitCode = await startInside(tool, args);
        return;
      }
      await withProfile(options.profile, async (session) => {
        const { doorsOf } = await import("./run/doors.ts");
        const { runTool } = await import("./run/run-tool.ts");
        const doors = await doorsOf(options, session.endpoints);
        const delegation = {
          name: options.name ?? agentNameOf(tool),
          ceiling: isCeilingNamed(options) ? ceilingOf(options) : usesOf(session),
        };
        process.exitCode = await runTool({ tool, args, session, delegation, doors, sharedUser: options.sharedUser === true });
      });
    });
}

/** A tool gets what it is for: the secrets and targets that its parent may use, to use them, and nothing else. */
function usesOf({ ceiling }: Session): CeilingInit {
  const entries = ceiling.entries
    .filter(({ actions }) => actions.includes(Action.USE))
    .map(({ secrets, targets }) => ({ actions: [Action.USE], secrets, targets }));
  if (entries.length === 0)
    throw new Refusal(
      "DELEGATION_EXCEEDED",
      "Your own ceiling holds no use of any secret, so there is none to hand on; sign in with one that does.",
    );
  return { entries };
}

function agentNameOf(tool: string): string {
  const name = basename(tool)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 63);
  return name === "" ? "tool" : name;
}
