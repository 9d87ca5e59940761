import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Document, LineCounter, parseDocument } from "yaml";
import { type Config, configSchema } from "./config.ts";
import { ConfigError, type ConfigProblem } from "./config-error.ts";
import { applyEnvironment } from "./environment.ts";
import { locate } from "./locate.ts";
import { problemsOf } from "./problem.ts";
import { resolveReference } from "./reference.ts";

/**
 * Reads and checks sallyport.yaml.
 *
 * @param file relative to the working directory
 * @throws ConfigError with every problem found
 */
export async function loadConfig(file: string, env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why =
      code === "ENOENT"
        ? "there is no such file; `sallyport init` writes one, -c names another"
        : code === "EACCES"
          ? "this user may not read it"
          : `cannot be read (${code})`;
    throw new ConfigError([{ source: file, message: why }]);
  }
  return parseConfig(text, file, env);
}

/** As {@link loadConfig}, from text; `file` is for messages and relative paths. */
export function parseConfig(text: string, file: string, env: NodeJS.ProcessEnv = {}): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map((error) => ({ source: file, ...place(lines, error.pos[0]), message: error.message })));
  }
  const value = plainValue(document, file);
  const origins = applyEnvironment(value, env);
  const parsed = configSchema(dirname(resolve(file))).safeParse(value, { reportInput: true });
  if (parsed.success) return withState(parsed.data, file, env);
  throw new ConfigError(
    problemsOf(parsed.error).map(({ path, key, message }): ConfigProblem => {
      const variable = origins.get(path.join("."));
      return variable === undefined
        ? { source: file, ...place(lines, locate(document, path, key)), message }
        : { source: variable, message };
    }),
  );
}

function plainValue(document: Document, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new ConfigError([{ source: file, message: cause instanceof Error ? cause.message : "cannot be read as YAML" }]);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError([{ source: file, line: 1, column: 1, message: "must be a mapping that begins with version: 1" }]);
  }
  return value as Record<string, unknown>;
}

/** A state URL may carry a password, so the file may name where it is found. */
function withState(config: Config, file: string, env: NodeJS.ProcessEnv): Config {
  if (!/^(env|file):/.test(config.state)) return config;
  const reference = config.state.startsWith("file:") ? `file:${resolve(dirname(resolve(file)), config.state.slice(5))}` : config.state;
  return { ...config, state: resolveReference(reference, "state", env) };
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
