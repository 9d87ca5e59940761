const credentials = [
  ...["private-key", "jwt", "aws-key", "aws-secret", "gcp-key", "azure-key", "azure-secret", "github-token", "gitlab-token"],
  ...["slack-token", "stripe-key", "openai-key", "anthropic-key", "npm-token", "pypi-token", "other-token"],
];
const nationalIds = [...["us-ssn", "de-steuer-id", "pl-pesel", "nl-bsn", "es-dni", "fr-nir", "it-codice-fiscale", "br-cpf", "in-aadhaar"]];

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
