import { Option } from "commander";

/** How results are answered: for a person, or for a program. */
export type Form = "table" | "json" | "jsonl" | "yaml";

const forms: readonly Form[] = ["table", "json", "jsonl", "yaml"];

export const outputOption = (): Option => new Option("-o, --output <form>", "how to answer").choices(forms).default("table");
