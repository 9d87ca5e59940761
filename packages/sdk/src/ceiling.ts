import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CeilingSchema } from "@sallyport/contracts";

/** The most that a credential allows, as a caller writes it: entries of actions, secrets and targets. */
export type CeilingInit = MessageInitShape<typeof CeilingSchema>;
