import { Egress } from "@sallyport/egress";
import { type Config, resolveReference } from "@sallyport/service";
import { openState } from "./open-state.ts";
import type { State } from "./state.ts";

/** The state that the configuration names, reached by the guarded dialler. @throws Refusal as {@link openState} */
export function openConfiguredState({
  config,
  clock,
}: {
  config: Pick<Config, "state" | "dataDir">;
  clock: { now(): number };
}): Promise<State> {
  const egress = Egress.infra({ setting: "state" });
  const url = /^(env|file):/.test(config.state) ? resolveReference(config.state, "state") : config.state;
  return openState(url, { dataDir: config.dataDir, clock, connect: (address) => egress.connect(address) });
}
