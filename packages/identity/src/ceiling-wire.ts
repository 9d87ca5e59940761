import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Ceiling as CeilingMessage, CeilingSchema } from "@sallyport/contracts";
import { type Ceiling, ceilingOf } from "./ceiling.ts";

/** A ceiling as `sallyport.chain.v1.Ceiling`. */
export const ceilingToWire = (ceiling: Ceiling) =>
  ({
    entries: ceiling.entries.map(({ actions, secrets, targets }) => ({
      actions: [...actions],
      secrets: [...secrets],
      targets: [...targets],
    })),
  }) satisfies MessageInitShape<typeof CeilingSchema>;

/** A ceiling from a message; one that is absent or empty is refused. @throws Refusal INVALID_REQUEST */
export const ceilingFromWire = (message: CeilingMessage | undefined): Ceiling => ceilingOf(message?.entries ?? []);
