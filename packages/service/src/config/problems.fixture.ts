import { ConfigError, parseConfig } from "./index.ts";

/** A store `d` and a secret `s` with the field `t`: what a target needs to be looked at. */
export const withSecret =
  "version: 1\ntrustDomain: example.internal\nstores: { d: { kind: file, path: x, key: env:K } }\nsecrets: { s: { store: d, fields: [t] } }\n";

/** What is said of a configuration that is refused. @throws where it is taken */
export function problems(text: string, env: NodeJS.ProcessEnv = {}): string {
  try {
    parseConfig(text, "sallyport.yaml", env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error(`it was accepted: ${text}`);
}
