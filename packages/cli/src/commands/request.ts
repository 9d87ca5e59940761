import { AccessState, Refusal } from "@sallyport/contracts";
import { useRequest, waitForAccess } from "@sallyport/sdk";
import { Command } from "commander";
import { type OperationOptions, operationOf, withOperationOptions } from "../input/operation.ts";
import { maxWaitSeconds, waitOption } from "../input/wait.ts";
import { type Form, outputOption } from "../output/form.ts";
import { note, printOne } from "../output/print.ts";
import { timeOf } from "../output/session.ts";
import { profileOption } from "../profile/profile-option.ts";
import { withProfile } from "../profile/with-profile.ts";
import { stateName } from "./reviews/view.ts";

type Options = OperationOptions & { reason: string; wait?: number | true; profile: string; output: Form };

/** `sallyport request`: asks people beforehand, for exactly one call, without using anything. */
export function requestCommand(): Command {
  return withOperationOptions(new Command("request").description("ask for approval of exactly one call, without making it"))
    .option("--reason <text>", "why, for the reviewer; at most 500 characters", "")
    .addOption(waitOption("wait until people have decided"))
    .addOption(profileOption())
    .addOption(outputOption())
    .action(async (options: Options) => {
      const operation = await operationOf(options);
      await withProfile(options.profile, async ({ broker }) => {
        const { accessRequest } = await broker.requestAccess({ use: useRequest(operation), reason: options.reason });
        if (accessRequest === undefined) throw new Refusal("INTERNAL", "The answer holds no access request.");
        let { state } = accessRequest;
        if (options.wait !== undefined && state === AccessState.PENDING) {
          note(`Waiting for a person to decide ${accessRequest.id}.`);
          await waitForAccess(broker, accessRequest.id, 1000 * (options.wait === true ? maxWaitSeconds : options.wait));
          state = AccessState.GRANTED;
        }
        const asked = { id: accessRequest.id, state: stateName(state), expiresAt: timeOf(accessRequest.expiresAt) };
        printOne(options.output, asked, { id: (item) => item.id, state: (item) => item.state, expires: (item) => item.expiresAt });
      });
    });
}
