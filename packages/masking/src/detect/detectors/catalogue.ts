import { numbers } from "./numbers.ts";
import { tokens } from "./tokens.ts";

const unique = (all: readonly { readonly category: string }[]) => [...new Set(all.map(({ category }) => category))];

const credentials = ["private-key", "jwt", "aws-secret", "azure-secret", ...unique(tokens)];
const nationalIds = [...unique(numbers).filter((category) => category !== "card"), "es-dni", "it-codice-fiscale"];

/** What the built-in detectors find, by category. */
export const categories: readonly string[] = [...credentials, "card", "iban", ...nationalIds, "email", "phone"];

/** Names that stand for several categories. */
export const presets: Readonly<Record<string, readonly string[]>> = {
  credentials,
  financial: ["card", "iban"],
  "national-ids": nationalIds,
  contact: ["email", "phone"],
  personal: ["card", "iban", ...nationalIds, "email", "phone"],
};
