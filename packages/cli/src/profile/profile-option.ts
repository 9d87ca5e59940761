import { Option } from "commander";

/** Which sign-in a command uses. */
export const profileOption = (): Option => new Option("--profile <name>", "the sign-in to use").env("SALLYPORT_PROFILE").default("default");
