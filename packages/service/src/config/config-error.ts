/** One thing wrong with the configuration. */
export interface ConfigProblem {
  /** 1-based; absent where the environment or the whole file is meant. */
  readonly line?: number;
  readonly column?: number;
  /** Where it comes from: the file, or an environment variable. */
  readonly source: string;
  readonly message: string;
}

/** The configuration cannot be used; every problem, one a line, `file:line:column: what and what was meant`. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(format).join("\n"));
    this.problems = problems;
  }
}

const format = ({ source, line, column, message }: ConfigProblem) =>
  line === undefined ? `${source}: ${message}` : `${source}:${line}:${column}: ${message}`;
