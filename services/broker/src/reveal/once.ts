import { Refusal } from "@sallyport/contracts";
import type { State } from "@sallyport/state";

/** Longer than any session lives. */
const rememberedMs = 30 * 24 * 3_600_000;

/** Marks that this session was given this version, by whichever broker. @throws Refusal DENIED_BY_POLICY where it was already */
export async function onceOnly(state: State, sessionId: string, secret: string, version: string): Promise<void> {
  if (await state.create("revealed", `${sessionId}/${secret}@${version}`, "{}", { ttlMs: rememberedMs })) return;
  throw new Refusal(
    "DENIED_BY_POLICY",
    "This version was revealed to this agent before, and is revealed once; use what you have, or use the secret at a target.",
  );
}
